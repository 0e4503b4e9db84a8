/** How element i of an iteration space finds its element of a tensor that broadcasts to it. */
import { broadcastStrides, type Shape, sizeOf } from '../base/shape';

export type AccessPattern =
  | { kind: 'same' }
  | { kind: 'scalar' }
  | { kind: 'tail'; size: number }
  | { kind: 'head'; inner: number }
  | { kind: 'general'; dims: number[]; strides: number[] };

/** The pattern of a tensor seen as `shape`. */
export function accessPattern(shape: Shape, space: Shape): AccessPattern {
  const size = sizeOf(shape);
  if (size === sizeOf(space)) return { kind: 'same' };
  if (size === 1) return { kind: 'scalar' };
  const lead = space.length - shape.length;
  const dims = space.map((_, i) => (i < lead ? 1 : shape[i - lead]!));
  const stretched = space.map((dim, i) => dims[i] === 1 && dim !== 1);
  const matters = space.map((dim, i) => dim !== 1 && !stretched[i]);
  const first = matters.indexOf(true);
  const last = matters.lastIndexOf(true);
  const between = stretched.slice(first, last + 1).some(Boolean);
  if (!between && !stretched.slice(last + 1).some(Boolean)) return { kind: 'tail', size };
  if (!between && !stretched.slice(0, first).some(Boolean))
    return { kind: 'head', inner: sizeOf(space.slice(last + 1)) };
  return { kind: 'general', ...collapse(space, broadcastStrides(shape, space)) };
}

/** Merges neighbouring dimensions that one stride can walk. */
function collapse(space: Shape, strides: readonly number[]): { dims: number[]; strides: number[] } {
  const dims: number[] = [];
  const out: number[] = [];
  space.forEach((dim, i) => {
    if (dim === 1) return;
    const previous = dims.length - 1;
    if (previous >= 0 && out[previous] === strides[i]! * dim) {
      dims[previous]! *= dim;
      out[previous] = strides[i]!;
    } else {
      dims.push(dim);
      out.push(strides[i]!);
    }
  });
  return { dims, strides: out };
}

/** Whether four neighbours of the space find their elements as one vector, or as one element four times. */
export function canVectorise(pattern: AccessPattern): boolean {
  if (pattern.kind === 'tail') return pattern.size % 4 === 0;
  if (pattern.kind === 'head') return pattern.inner % 4 === 0;
  if (pattern.kind === 'general')
    return (
      pattern.dims.at(-1)! % 4 === 0 &&
      pattern.strides.at(-1)! <= 1 &&
      pattern.strides.slice(0, -1).every((s) => s % 4 === 0 || pattern.strides.at(-1) === 0)
    );
  return true;
}
