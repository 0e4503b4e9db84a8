/** Shapes are plain arrays of dimension sizes, row-major: the last dimension is contiguous. A scalar has shape `[]`. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((size, dim) => size * dim, 1);
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** NumPy broadcasting: align right; a dimension of 1 stretches. Returns undefined if the shapes do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[rank - i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides in elements for reading a tensor of `shape` at coordinates of `out`: 0 along every stretched dimension. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const own = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? 0 : own[i - lead]!));
}

/** Reads element i of `out` from an array that broadcasts to it. */
export function broadcastReader(shape: Shape, out: Shape, data: Float64Array): (i: number) => number {
  if (sizeOf(shape) === sizeOf(out)) return (i) => data[i]!;
  if (data.length === 1) return () => data[0]!;
  const strides = broadcastStrides(shape, out);
  const outStrides = stridesOf(out);
  return (i) => {
    let offset = 0;
    for (let d = 0; d < out.length; d++) offset += (Math.floor(i / outStrides[d]!) % out[d]!) * strides[d]!;
    return data[offset]!;
  };
}

/** A non-negative axis; negative ones count from the end. Returns undefined if it is out of range. */
export function normaliseAxis(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}
