/** The delay that the gate adds to the first chunk of a stream. */
import { TOKEN, withToken } from '../test/lab/actors/deploys.ts';
import { typescript } from '../test/lab/namespaces/process.ts';
import { inLab, onHost, script } from './lab.ts';
import type { Part, Row } from './part.ts';

export const stream: Part = {
  name: 'stream',
  measures:
    'The first chunk of a streamed completion, requested on the proxy over keep-alive connections: through the gate, and from the backend.',
  rounds: 100,
  measure: (rounds, print) =>
    inLab({}, async (lab): Promise<Row[]> => {
      await script(lab, 'deploy', ['--no-verify'], withToken(TOKEN));
      const client = typescript('bench/stream-client.ts', [`${rounds}`]);
      const line = [`TOKEN='${TOKEN}'`, process.execPath, ...client].join(' ');
      const { gate, direct } = JSON.parse(await onHost(lab.proxy, line)) as Record<string, number[]>;
      print(`${rounds} streams by each way`);
      return [
        {
          what: 'first chunk of a stream',
          unit: 'ms',
          ours: gate ?? [],
          theirs: { who: 'direct to the backend', figures: direct ?? [] },
        },
      ];
    }),
};
