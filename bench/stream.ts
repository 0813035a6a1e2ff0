/** How much later the first chunk of a stream arrives through the gate than from the backend itself. */
import { TOKEN, withToken } from '../test/lab/actors/deploys.ts';
import { typescript } from '../test/lab/namespaces/process.ts';
import { inLab, onHost, script } from './lab.ts';
import type { Part, Row } from './part.ts';

export const stream: Part = {
  name: 'stream',
  measures:
    'The first piece of a streamed completion, asked on the proxy over kept connections: through the gate, and from the backend.',
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
          what: 'first piece of a stream',
          unit: 'ms',
          ours: gate ?? [],
          theirs: { who: 'the backend itself', figures: direct ?? [] },
        },
      ];
    }),
};
