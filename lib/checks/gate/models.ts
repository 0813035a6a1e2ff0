/** Model lists, in the formats of various servers. */
import { fieldOf, jsonIn } from '../http/json.ts';

/** The names of the models; undefined if the text is not a model list. */
export function modelsIn(body: string): readonly string[] | undefined {
  return listIn(body)
    ?.map(modelName)
    .filter((name) => name !== '');
}

/** The models as the server describes them; undefined if the text is not a model list. */
export function listIn(body: string): readonly unknown[] | undefined {
  const value = jsonIn(body);
  const [data, models] = [fieldOf(value, 'data'), fieldOf(value, 'models')];
  if (Array.isArray(data)) return data;
  if (Array.isArray(models)) return models;
  // Some servers return `null` if they have no models.
  return data === null ? [] : undefined;
}

/** A model's name; empty if it has none. */
export function modelName(model: unknown): string {
  const [id, name] = [fieldOf(model, 'id'), fieldOf(model, 'name')];
  if (typeof id === 'string') return id;
  return typeof name === 'string' ? name : '';
}
