/** Generated images and starting weights for `overfit-vit.ts`, the same on every run. */
export interface Size {
  images: number;
  side: number;
  patch: number;
  classes: number;
  dim: number;
  depth: number;
}

/** Weight matrices `[out, in]` of standard deviation 1 / sqrt(in); the position table starts near zero. */
export function initialWeights(size: Size): Record<string, { shape: number[]; values: Float32Array }> {
  const { dim, depth, patch, classes } = size;
  const shapes: Record<string, [number, number]> = {
    embed: [dim, patch ** 2],
    position: [(size.side / patch) ** 2, dim],
  };
  for (let i = 0; i < depth; i++) {
    for (const name of ['q', 'k', 'v', 'proj']) shapes[`${i}.${name}`] = [dim, dim];
    shapes[`${i}.fc1`] = [4 * dim, dim];
    shapes[`${i}.fc2`] = [dim, 4 * dim];
  }
  shapes.head = [classes, dim];
  const random = normals(7);
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const scale = name === 'position' ? 0.02 : 1 / Math.sqrt(shape[1]);
      return [name, { shape, values: Float32Array.from({ length: shape[0] * shape[1] }, () => scale * random()) }];
    }),
  );
}

/** Gratings of random direction and frequency under noise, cut into patches `[B, N, patch * patch]`, with random one-hot labels `[B, classes]`. */
export function generatedBatch(size: Size): { patches: Float32Array; patchShape: number[]; labels: Float32Array } {
  const { images, side, patch, classes } = size;
  const random = normals(1);
  const perRow = side / patch;
  const patches = new Float32Array(images * side * side);
  const labels = new Float32Array(images * classes);
  for (let b = 0; b < images; b++) {
    const [fx, fy, phase] = [random(), random(), random()];
    labels[b * classes + (Math.floor(Math.abs(random()) * 1e6) % classes)] = 1;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const cell = Math.floor(y / patch) * perRow + Math.floor(x / patch);
        const at = (cell * patch + (y % patch)) * patch + (x % patch);
        patches[b * side * side + at] = Math.sin(fx * x + fy * y + phase) + 0.3 * random();
      }
    }
  }
  return { patches, patchShape: [images, perRow ** 2, patch ** 2], labels };
}

/** Standard normal numbers: Box and Muller over a 32-bit linear congruential generator (Numerical Recipes). */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
