/** Indices as indicator rows: [..] -> [.., classes], 1 at the index and 0 elsewhere. An index out of range gives a row of zeros. */
import type { DType } from '../base/dtype';
import type { Tensor } from '../graph/op';
import { checkTensor } from '../graph/record';
import { cast, equal } from './elementwise';
import { constant } from './sources';
import { reshape } from './views';

/** One-hot rows of u32 or i32 `indices`. */
export function oneHot(indices: Tensor, classes: number, dtype: DType = 'f32'): Tensor {
  checkTensor('oneHot', indices);
  const positions = constant(
    Float64Array.from({ length: classes }, (_, i) => i),
    [classes],
    indices.dtype,
  );
  return cast(equal(reshape(indices, [...indices.shape, 1]), positions), dtype);
}
