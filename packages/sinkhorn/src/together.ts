/** Several lists exchanged in one message: a message costs its latency, whatever it carries. */
import { concat, sliceAxis, type Tensor } from '@franca/tensor';

/** Lists [n_i] as one list through `exchange`, which keeps its length, and apart again. */
export function together(lists: readonly Tensor[], exchange: (all: Tensor) => Tensor): Tensor[] {
  if (lists.length === 0) return [];
  const all = exchange(concat(lists));
  let end = 0;
  return lists.map(({ shape: [n] }) => {
    end += n!;
    return sliceAxis(all, 0, end - n!, end);
  });
}
