import { latestRunCheckpoint, lockRun, pruneRunCheckpoints, saveRunCheckpoint } from '../src/index';

/** Resumes the run in the folder given and saves step after step, printing each that is complete; `kill.test.ts` kills it. */
const run = process.argv[2]!;
await lockRun(run);
const { checkpoint } = await latestRunCheckpoint(run);
for (let step = (checkpoint?.step ?? 0) + 1; ; step++) {
  const data = new Float32Array(100_000).fill(step);
  const tensors = { student: [{ name: 'w', dtype: 'f32' as const, shape: [data.length], data }] };
  await saveRunCheckpoint(run, { step, state: { step }, stateVersion: 1, tensors });
  console.log(step);
  await pruneRunCheckpoints(run, { last: 2 });
}
