/** A list of models, in the forms that servers return. */

/** The names of the models; undefined if the text is not a list of models. */
export function modelsIn(body: string): readonly string[] | undefined {
  const list = listIn(parsed(body));
  return list?.map(nameOf).filter((name) => name !== '');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function listIn(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('data' in value && Array.isArray(value.data)) return value.data;
  if ('models' in value && Array.isArray(value.models)) return value.models;
  // Some servers return `null` if they have no model.
  return 'data' in value && value.data === null ? [] : undefined;
}

function nameOf(model: unknown): string {
  if (typeof model !== 'object' || model === null) return '';
  if ('id' in model && typeof model.id === 'string') return model.id;
  return 'name' in model && typeof model.name === 'string' ? model.name : '';
}
