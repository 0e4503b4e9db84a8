/**
 * The vote of in-context segmentation on a device. Label rows of all neighbours of a block of queries are gathered
 * `[block, k, C]`, weighted by the softmax over `k` and added up. The label table must fit one binding.
 */
import { compile, type Gpu, gatherRows, mul, reshape, softmax, sum } from '@franca/tensor';
import type { SoftVote } from './eval-backend';
import { blockOf, evenBlocks } from './gpu-tiles';

const MAX_GATHERED = 2 ** 23;

/** Whether the label table of a vote can be bound. */
export const fitsVote = (gpu: Gpu, { labels }: SoftVote): boolean =>
  4 * labels.rows * labels.cols <= gpu.target.maxBindingBytes;

export async function softVote(gpu: Gpu, { neighbours, temperature, labels }: SoftVote): Promise<Float32Array> {
  const { k, scores, indices } = neighbours;
  const classes = labels.cols;
  const queries = k === 0 ? 0 : scores.length / k;
  const out = new Float32Array(queries * classes);
  if (out.length === 0) return out;
  const size = evenBlocks(queries, Math.ceil(MAX_GATHERED / (k * classes)));
  using step = await compile(
    gpu,
    (_, batch, knobs) => {
      const weights = softmax(mul(batch.scores, knobs.sharpness));
      const rows = reshape(gatherRows(batch.labels, batch.indices), [size, k, classes]);
      return { votes: sum(mul(reshape(weights, [size, k, 1]), rows), [1]) };
    },
    {
      batch: {
        scores: { shape: [size, k], dtype: 'f32' },
        indices: { shape: [size * k], dtype: 'i32' },
        labels: { shape: [labels.rows, classes], dtype: 'f32' },
      },
      knobs: { sharpness: [] },
    },
  );
  const table = { data: scores, rows: queries, cols: k };
  for (let begin = 0; begin < queries; begin += size) {
    const chosen = new Int32Array(size * k);
    chosen.set(indices.subarray(begin * k, (begin + size) * k));
    const inputs = { scores: blockOf(table, begin, size), indices: chosen };
    step.run({ ...inputs, ...(begin === 0 ? { labels: labels.data } : {}) }, { sharpness: 1 / temperature });
    const votes = (await step.read('votes')) as Float32Array;
    out.set(votes.subarray(0, Math.min(size, queries - begin) * classes), begin * classes);
  }
  return out;
}
