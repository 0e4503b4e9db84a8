/**
 * One level of a projection head on patch tokens: bottleneck features, and the prototypes that they are compared with. Logits are never held: whoever wants the
 * largest asks the evaluation backend, which streams prototypes past in tiles.
 */
import type { Matrix, PatchFeatures } from '@franca/evals';
import { embedDimOf, headSpecs, levelFeatures, levelNames } from '@franca/matryoshka-heads';
import { parametersOf } from '@franca/nn';
import { compile, createState, type Gpu } from '@franca/tensor';
import type { HeadOfWeights } from '../features/find-head';

export interface HeadLevelOnTokens extends Disposable {
  /** Prototypes g v / |v| [K, b], whose inner products with features are the logits. */
  readonly prototypes: Matrix;
  /** Features of width b in place of tokens, batch by batch. */
  features(batches: AsyncIterable<PatchFeatures>): AsyncIterable<PatchFeatures>;
}

/** Tokens at a time. */
const ROWS = 1024;

export async function openHeadLevel(
  gpu: Gpu,
  { config, read }: Pick<HeadOfWeights, 'config' | 'read'>,
  level: number,
): Promise<HeadLevelOnTokens> {
  const { projection, mlp, prototypes } = levelNames(config.kind, level);
  const names = Object.entries(headSpecs(config)).filter(
    ([name]) => name.startsWith(`${mlp}.`) || (projection !== '' && name.startsWith(`${projection}.`)),
  );
  const specs = Object.fromEntries(names);
  const state = createState(gpu, { head: specs });
  try {
    for (const name of Object.keys(specs)) state.write('head', name, await read(name));
    const [D, b] = [embedDimOf(config), config.bottleneckDim];
    const step = await compile(
      gpu,
      ({ head }, { tokens }) => ({ features: levelFeatures(parametersOf(head.tensors), tokens, config, level) }),
      { state, batch: { tokens: { shape: [ROWS, D], dtype: 'f32' } } },
    );
    const chunk = new Float32Array(ROWS * D);
    return {
      prototypes: unitRows(await read(`${prototypes}.weight_g`), await read(`${prototypes}.weight_v`), b),
      async *features(batches) {
        for await (const { patches, grid } of batches) {
          const rows = patches.length / D;
          const out = new Float32Array(rows * b);
          for (let at = 0; at < rows; at += ROWS) {
            const part = patches.subarray(at * D, (at + ROWS) * D);
            chunk.set(part);
            step.run({ tokens: chunk });
            const values = await step.read('features');
            out.set(values.subarray(0, (part.length / D) * b), at * b);
          }
          yield { patches: out, grid, dim: b };
        }
      },
      [Symbol.dispose]() {
        step.dispose();
        state.dispose();
      },
    };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

/** g v / |v| of each row. */
function unitRows(g: Float32Array, v: Float32Array, cols: number): Matrix {
  const rows = v.length / cols;
  const data = new Float32Array(v.length);
  for (let k = 0; k < rows; k++) {
    const row = v.subarray(k * cols, (k + 1) * cols);
    const scale = g[k]! / Math.sqrt(row.reduce((sum, value) => sum + value ** 2, 0));
    for (let i = 0; i < cols; i++) data[k * cols + i] = scale * row[i]!;
  }
  return { data, rows, cols };
}
