/** How tall the tiles of large products are on a software adapter, which depends on the processor. */
import { chosenVariants, compile, type Gpu, matmul } from '@franca/tensor';

/** The side of square matrices whose product is a large one. */
const SIDE = 640;

/** The choice, measured now if it was not before. Undefined on a GPU, which has a choice for every shape, and where there is none. */
export async function describeTiles(gpu: Gpu): Promise<string | undefined> {
  if (gpu.target.family !== 'cpu') return undefined;
  const matrix = { shape: [SIDE, SIDE], dtype: 'f32' } as const;
  using step = await compile(gpu, (_, { a, b }) => matmul(a, b), { batch: { a: matrix, b: matrix } });
  const [choice] = chosenVariants(step.plan);
  if (!choice) return undefined;
  const others = choice.candidates.filter((name) => name !== choice.variant);
  return `${choice.variant}, ${gpu.tuning.cache ? 'measured to be faster here than' : 'by rule, rather than'} ${others.join(', ')}`;
}
