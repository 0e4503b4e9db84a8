import { cpuBackend, type PatchFeatures } from '@franca/evals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EvalContext } from '../eval/context';
import type { DensePart } from '../eval/part';
import { createLeftOutImages } from '../features/left-out-images';
import { noRasa } from '../features/rasa-of-weights';
import type { FeatureSession } from '../features/session';
import { rasaStage } from './rasa-stage';

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => void vi.restoreAllMocks());

/** Images of 2 x 2 patches whose first two components are the place, and whose third is chance. */
function part(images: number): DensePart {
  const rows = Array.from({ length: images * 4 }, (_, i) => [(i % 4) >> 1, i % 2, Math.sin(7 * i)]);
  const features: PatchFeatures = { dim: 3, grid: [2, 2], patches: Float32Array.from(rows.flat()) };
  const set = { dataset: 'places', split: 'val', total: images, notes: [] } as Partial<
    DensePart['set']
  > as DensePart['set'];
  const fresh = { ...features, images: [] };
  return {
    set,
    preprocessing: 'none',
    batches: {
      async *[Symbol.asyncIterator]() {
        yield { ...fresh, patches: features.patches.slice() };
      },
    },
  };
}
const session = {
  size: 16,
  leftOut: createLeftOutImages(),
  weights: { name: 'mine', model: 'mine', notes: [], rasa: noRasa } as Partial<FeatureSession['weights']>,
  model: { config: { patchSize: 8 } },
} as Partial<FeatureSession> as FeatureSession;
const context = { backend: cpuBackend, patches: async () => part(12) } as Partial<EvalContext> as EvalContext;

test('planes that come with the weights are read and not fitted again', async () => {
  const planes = [[Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)]];
  const stage = rasaStage(session, { ...noRasa, planes }, undefined);
  expect(stage.found()).toBe(noRasa);
  const { records } = await stage.run(context, {});
  expect(stage.found().planes).toBe(planes);
  expect(records.map(({ features, variant }) => `${features}: ${variant}`)).toEqual([
    'mine: before',
    'mine + RASA 1: after 1 plane',
  ]);
  expect(records[0]!.value).toBeGreaterThan(0.99);
  expect(records[1]!.value).toBeLessThan(0.1);
  expect(printed).toEqual(['RASA that comes with the weights: 1 plane; none are fitted on top of it']);
});

test('nothing is fitted on top of RASA that is folded into the weights, and there are no planes to run with', async () => {
  const folded = { weight: new Float32Array(9), bias: new Float32Array(3) };
  const stage = rasaStage(session, { ...noRasa, folded }, undefined);
  expect((await stage.run(context, {})).records).toEqual([]);
  expect(stage.found().planes).toEqual([]);
  expect(printed).toEqual(['RASA is folded into the weights: no planes are fitted on top of it']);
});
