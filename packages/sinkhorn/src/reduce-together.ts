/** Several lists reduced over ranks in one message: a message costs its latency, whatever it carries. */
import { allReduce, concat, type Reduction, sliceAxis, type Tensor } from '@franca/tensor';

/** Lists f32 [n_i], each reduced over `size` ranks; with one rank as they are. */
export function reduceTogether(lists: readonly Tensor[], size: number, how: Reduction): readonly Tensor[] {
  if (size === 1 || lists.length === 0) return lists;
  const all = allReduce(concat(lists), size, how);
  let end = 0;
  return lists.map(({ shape: [n] }) => {
    end += n!;
    return sliceAxis(all, 0, end - n!, end);
  });
}
