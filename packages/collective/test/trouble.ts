/** A rank with which something goes wrong, as its argument says; what it learns of it is printed, with its code. */
import { CollectiveError, openCommunicator } from '../src/index';

const [trouble = ''] = process.argv.slice(2);
const started = Number(process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK);
const isOdd = started === 1;

try {
  // a launcher that sees it end ends the others too, which is not what is asked here
  if (trouble === 'missing' && isOdd) await new Promise((resolve) => setTimeout(resolve, 60_000));
  const version = trouble === 'version' && isOdd ? 'program 2' : 'program 1';
  const ranks = await openCommunicator({
    version,
    openSeconds: trouble === 'missing' ? 4 : 60,
    silentSeconds: trouble === 'stopped' ? 2 : 60,
  });
  process.on('exit', (status) => console.log(`rank ${started}: ends with ${status}`));
  const values = new Float32Array(1000);
  await ranks.barrier();
  if (trouble === 'twice') await openCommunicator();
  if (isOdd && trouble === 'killed') process.kill(process.pid, 'SIGKILL');
  if (started === 0 && trouble === 'first killed') process.kill(process.pid, 'SIGKILL');
  if (trouble === 'scope') {
    await using scope = ranks;
    if (isOdd) throw new Error('of its own');
    await scope.allReduce(values, values);
  }
  if (isOdd && trouble === 'stopped') process.kill(process.pid, 'SIGSTOP');
  if (isOdd && trouble === 'closed') await ranks.close();
  else if (isOdd && trouble === 'lengths') await ranks.allReduce(values.subarray(1), values.subarray(1));
  else await ranks.allReduce(values, values);
  if (trouble === 'thrown' && isOdd)
    setImmediate(() => {
      throw new Error('thrown by rank 1');
    });
  if (trouble === 'thrown') await ranks.allReduce(values, isOdd ? await new Promise(() => {}) : values);
  if (trouble === 'abort' && isOdd) ranks.abort(7);
  await ranks.close();
  console.log(`rank ${started}: all is well`);
} catch (error) {
  const code = error instanceof CollectiveError ? error.code : 'unexpected';
  console.log(`rank ${started}: ${code}: ${(error as Error).message}`);
  process.exit(1);
}
