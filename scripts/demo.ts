/**
 * Demonstrates gatepost in a lab with real software, in network namespaces of this machine; nothing else is affected.
 */
import '../test/lab/namespaces/enter.ts';
import * as story from '../test/lab/actors/demo-story.ts';
import { printHeading, setStage } from '../test/lab/actors/stage.ts';
import { startLab } from '../test/lab/namespaces/lab.ts';

const flags = story.demoFlags();
const start = performance.now();

printHeading(
  'A lab: an operator, a jump host, a proxy with a stock nginx, a backend; real SSH, sudo, nginx, certbot and CA.',
);
const lab = await startLab({ certificate: 'none' });
await lab.startAcme();
const stage = setStage(lab);

try {
  await story.bootstrap(stage);
  await story.useServices(stage);
  await story.changeSetting(stage);
  await story.rollBack(stage);
  const editor = await story.addClient(stage);
  await story.limitClients(stage, editor);
  await story.rotateBearer(stage);
  await story.deployBrokenTemplate(stage, lab);
  await story.showUsage(stage);
  await story.showStatus(stage);

  printHeading(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  if (flags.keep) {
    console.log(
      'The lab stays up as long as this shell: run the scripts, send requests with curl; exit ends it.',
    );
    await stage.shell();
  }
} finally {
  await lab.stop();
}
