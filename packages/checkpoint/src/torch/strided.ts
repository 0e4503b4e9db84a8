/** Elements of a strided view, out of the storage that it looks at. */
import { type Dtype, elementSize, type TensorData, viewAs } from '../dtype';

/** Element `(i, j, ...)` is at `offset + i * stride[0] + j * stride[1] + ...` of its storage. */
export interface StridedView {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly stride: readonly number[];
}

/** Reads bytes `[start, start + length)` of a storage into memory of their own. */
export type ReadBytes = (start: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Row-major elements `[start, end)` of a view; gathered where they are not contiguous. */
export async function readStrided(
  readBytes: ReadBytes,
  { dtype, shape, stride, offset }: StridedView,
  { start, end }: { start: number; end: number },
): Promise<TensorData> {
  const width = elementSize(dtype);
  const length = (end - start) * width;
  if (length === 0) return viewAs(dtype, new ArrayBuffer(0));
  if (isContiguous(shape, stride)) return viewAs(dtype, (await readBytes((offset + start) * width, length)).buffer);
  const span = shape.reduce((sum, extent, axis) => sum + (extent - 1) * stride[axis]!, 1);
  const stored = viewAs(dtype, (await readBytes(offset * width, span * width)).buffer);
  return gather(dtype, stored, stridedIndices(shape, stride, start, end), end - start);
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Positions of row-major elements `[start, end)` relative to the view's first, counted like an odometer. */
function* stridedIndices(
  shape: readonly number[],
  stride: readonly number[],
  start: number,
  end: number,
): Generator<number> {
  const counter = shape.map(() => 0);
  let rest = start;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    counter[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  let position = counter.reduce((sum, index, axis) => sum + index * stride[axis]!, 0);
  for (let element = start; element < end; element++) {
    yield position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis]!;
      counter[axis]!++;
      if (counter[axis]! < shape[axis]!) break;
      position -= counter[axis]! * stride[axis]!;
      counter[axis] = 0;
    }
  }
}

function gather(dtype: Dtype, stored: TensorData, indices: Iterable<number>, count: number): TensorData {
  const out = viewAs(dtype, new ArrayBuffer(count * elementSize(dtype)));
  let to = 0;
  for (const from of indices) out[to++] = stored[from]!;
  return out;
}
