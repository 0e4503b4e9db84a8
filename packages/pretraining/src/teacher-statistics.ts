/** What the teacher's targets look like: how spread out they are, and which prototype each sample would choose. Cheap beside the losses, as it looks at CLS tokens only. */
import { type SoftTargets, targetCrossEntropy } from '@franca/nn';
import { add, argmax, cast, concat, mean, mul, oneHot, sum, type Tensor, topK } from '@franca/tensor';

export interface TeacherStatistics {
  /** Mean entropy over ln K. */
  readonly entropy: Tensor;
  /** Most probable prototype of each row [T], as f32. */
  readonly choices: Tensor;
}

export function teacherStatistics(targets: SoftTargets): TeacherStatistics {
  const K = targets.chunks.at(-1)!.end;
  const logits = (i: number): Tensor => {
    const chunk = targets.chunk(i);
    return add(cast(chunk.logits, 'f32'), chunk.bias);
  };
  // the entropy of a distribution is its cross-entropy with itself
  const entropies = targetCrossEntropy({ ...targets, chunk: logits }, targets, { own: targets.rows, views: 1 });
  const best = targets.chunks.map(({ first }, i) => {
    const { values, indices } = topK(logits(i), 1);
    return { values, indices: add(cast(indices, 'f32'), first) };
  });
  const values = best.map((chunk) => chunk.values);
  const indices = best.map((chunk) => chunk.indices);
  const winner = oneHot(argmax(concat(values, 1)), best.length);
  return {
    entropy: mul(mean(entropies), 1 / Math.log(Math.max(K, 2))),
    choices: sum(mul(winner, concat(indices, 1)), [1]),
  };
}
