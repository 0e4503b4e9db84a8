/** Projection heads for the tiny model: nested levels of 8 and 16 components, with initial weights wider than usual. */
import type { TensorEntry } from '@franca/checkpoint';
import { type HeadConfig, headSpecs, matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import { initialValues } from '@franca/nn';

export const tinyHead: HeadConfig = matryoshkaConfig(16, 32, {
  hiddenDim: 12,
  bottleneckDim: 4,
  levels: matryoshkaLevels(16, 32, [8, 16]),
});

/** Its tensors under official names behind `prefix`; another `seed`, another head. */
export function headTensors(prefix: string, seed = 3): TensorEntry[] {
  return Object.entries(headSpecs(tinyHead)).map(([name, spec]) => ({
    name: prefix + name,
    dtype: 'f32',
    shape: spec.shape,
    data: initialValues(name, spec, seed).map((value) => (name.endsWith('weight_g') ? value : 20 * value)),
  }));
}
