import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { trainDepthProbe } from '@franca/evals';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sharedData } from '../../../../../test/support/shared';
import { temporaryFolder } from '../../../test/tiny-model';
import { openSession } from '../../features/session';
import { openDepthSet } from '../../image-sets/depth-layouts';
import { depthBatches } from './depth-batches';
import { levelsOf, planDepth } from './depth-plan';
import { depthSizes } from './depth-sizes';

// a real backbone computes for longer here than Mesa takes to optimise
vi.stubEnv('GALLIVM_PERF', undefined);

const pictures = sharedData('nyu-depth');
const weights = sharedData('deit-tiny');

/** Of 80, with 8 pictures each. */
const STEPS = 2;

test.skipIf(!pictures || !weights)(
  'the first losses on real photographs are those of another implementation (needs shared/data/nyu-depth and deit-tiny)',
  async () => {
    const reference = join(pictures!, '../../reference/eval-references/depth.json');
    const { f64: expected } = JSON.parse(await readFile(reference, 'utf8')) as { f64: { first_losses: number[] } };
    const folder = await temporaryFolder();
    onTestFinished(() => rm(folder, { recursive: true }));
    await using session = await openSession({
      weights: join(weights!, 'deit_tiny_patch16_224.safetensors'),
      batchSize: 4,
      cache: folder,
    });
    await using set = await openDepthSet(pictures!);
    const plan = planDepth({ protocol: 'probe3d-2025', probe: 'linear', augment: false });
    const [size] = depthSizes({ picture: [240, 240], depth: [240, 240] }, 16, plan.sizes);
    const reading = { ...size!, levels: levelsOf(plan.facts, 12), joinCls: true };
    expect(reading.levels.blocks).toEqual([2, 5, 8, 11]);
    const losses: number[] = [];
    const stop = new Error('enough');
    const training = trainDepthProbe(
      session.gpu,
      () => depthBatches(session, set.train!, reading, { batchSize: 8, fresh: true }),
      {
        protocol: plan.protocol,
        head: 'linear',
        stepsPerEpoch: 8,
        onStep({ loss }) {
          if (losses.push(loss) === STEPS) throw stop;
        },
      },
    );
    await expect(training).rejects.toBe(stop);
    for (const [step, loss] of losses.entries())
      expect(Math.abs(loss - expected.first_losses[step]!)).toBeLessThan(1e-5);
  },
  240_000,
);
