/**
 * npm run at-size --workspace bench [-- --images 1281167 --queries 1000 --classes 1000 --learning-rates 0.1 --json at-size.json]
 *
 * k-NN and an epoch of the linear probe on features of the size of ImageNet-1k and ViT-g, which no model made: they are written to a cache of features as
 * f16 and read from there as an evaluation reads them. Says how long each took, at which rate, and the most memory that the process has held by then.
 */
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gpuBackend, knn, type LabelledFeatures, linearProbe, type Outcome } from '@franca/evals';
import { openGpu } from '@franca/tensor/node';
import { watchOtherLoad } from '../machine-load';
import { cachedFeatures } from './cached-features';
import { madeFeatures } from './made-features';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '1281167' },
    dim: { type: 'string', default: '1536' },
    classes: { type: 'string', default: '1000' },
    /** Images that are tested on. */
    queries: { type: 'string', default: '1000' },
    'learning-rates': { type: 'string', default: '0.1' },
    /** Where the features lie; a folder of its own is taken away at the end. */
    folder: { type: 'string' },
    json: { type: 'string' },
  },
});
const [images, dim, classes, queries] = [options.images, options.dim, options.classes, options.queries].map(Number);
const learningRates = options['learning-rates'].split(',').map(Number);
const BATCH = 1024;

interface Stage {
  readonly stage: string;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly gflops?: number;
  /** Of the process, since it began. */
  readonly peakMiB: number;
  readonly outcome?: Pick<Outcome, 'value' | 'others' | 'hyper'>;
}
const stages: Stage[] = [];

async function timed(stage: string, flops: number, run: () => Promise<Outcome | undefined>): Promise<void> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const found = await run();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  stages.push({
    stage,
    seconds,
    processorSeconds: (user + system) / 1e6,
    ...(flops > 0 && { gflops: flops / seconds / 1e9 }),
    peakMiB: process.resourceUsage().maxRSS / 1024,
    ...(found && { outcome: { value: found.value, others: found.others, hyper: found.hyper } }),
  });
  console.log(JSON.stringify(stages.at(-1)));
}

const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'at-size-')));
const needed = 2 * images! * dim!;
const { bavail, bsize } = await statfs(folder);
if (bavail * bsize < needed + 2 ** 30) throw new Error(`${folder} has no room for ${needed} bytes; give --folder`);
const others = watchOtherLoad();
await using gpu = await openGpu();
using backend = gpuBackend(gpu);
const train = await cachedFeatures(folder, madeFeatures(images!, dim!, classes!, 0));
const held = madeFeatures(queries!, dim!, classes!, 1);
const test: LabelledFeatures = { dim: dim!, cls: held.rows(0, queries!), labels: held.labels };

try {
  await timed(`features of ${images} images x ${dim} written as f16`, 0, async () => {
    await train.write();
    return undefined;
  });
  await timed(`k-NN, ${queries} queries`, 2 * images! * queries! * dim!, async () => {
    const { outcome } = await knn(train.batches(), test, { classes, backend });
    return outcome;
  });
  // forward, and the gradient of the weights
  await timed(
    `linear probe, one epoch, ${learningRates.length} classifiers`,
    4 * images! * dim! * classes! * learningRates.length,
    async () => {
      const { outcome } = await linearProbe(
        train.stored,
        { dim: dim!, blocks: [test.cls], labels: test.labels },
        {
          classes,
          backend,
          batchSize: BATCH,
          epochs: 1,
          learningRates,
          blocks: [1],
          select: 'test',
          onStep: (step) => step % 100 === 0 && console.log(`step ${step} of ${Math.round(images! / BATCH)}`),
        },
      );
      return outcome;
    },
  );
} finally {
  await train[Symbol.asyncDispose]();
  if (options.folder === undefined) await rm(folder, { recursive: true });
}
const record = {
  adapter: gpu.target.name,
  node: process.version,
  date: new Date().toISOString(),
  otherLoad: others(),
  images,
  dim,
  classes,
  queries,
  learningRates,
  stages,
};
if (options.json) await writeFile(options.json, `${JSON.stringify(record, null, 2)}\n`);
