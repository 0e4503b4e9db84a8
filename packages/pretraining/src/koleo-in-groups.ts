/**
 * KoLeo of the student's CLS tokens, view by view, with neighbours among the images of a group, or of the whole micro-step (`koleoDistributed`). Where a rank holds whole
 * groups it takes the mean of their losses; else the rows of all ranks are gathered, both views in one message, and each rank takes the terms of its own. Either way the
 * mean over ranks is the mean over all images.
 */
import { koleoLoss, koleoOverRanks } from '@franca/losses';
import { add, mean, mul, sliceAxis, type Tensor } from '@franca/tensor';
import { GLOBAL_CROPS, type PretrainOptions } from './options';

/** Of tokens [2b, D], both views. */
export function koleoInGroups(
  cls: Tensor,
  { batch, ranks, koleoDistributed }: Pick<PretrainOptions, 'batch' | 'ranks' | 'koleoDistributed'>,
): [Tensor, Tensor] {
  const b = batch.perDevice;
  const group = koleoDistributed ? b * ranks.size : batch.group;
  if (b % group !== 0) {
    const terms = koleoOverRanks(cls, { size: ranks.size, mayBeNeighbours: sameGroup(b, group, ranks.rank) });
    return [mean(sliceAxis(terms, 0, 0, b)), mean(sliceAxis(terms, 0, b, GLOBAL_CROPS * b))];
  }
  const groups = b / group;
  const ofView = (view: number): Tensor => {
    const losses = Array.from({ length: groups }, (_, i) => {
      const first = view * b + i * group;
      return koleoLoss(sliceAxis(cls, 0, first, first + group));
    });
    return groups === 1
      ? losses[0]!
      : mul(
          losses.reduce((a, c) => add(a, c)),
          1 / groups,
        );
  };
  return [ofView(0), ofView(1)];
}

/** Rows of a rank are [view, image], those of all ranks [rank, view, image]: whether two are different images of one group, in the same view. */
function sameGroup(b: number, group: number, rank: number): (row: number, other: number) => boolean {
  const rowOf = (row: number, on: number) => ({ view: Math.floor(row / b), image: on * b + (row % b) });
  return (row, other) => {
    const own = rowOf(row, rank);
    const { view, image } = rowOf(other % (GLOBAL_CROPS * b), Math.floor(other / (GLOBAL_CROPS * b)));
    return view === own.view && image !== own.image && Math.floor(image / group) === Math.floor(own.image / group);
  };
}
