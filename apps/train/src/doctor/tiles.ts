/** How tall the tiles of large products are on a software adapter, which depends on the processor: what was chosen, and over what. */
import { chosenVariants, compile, type Gpu, matmul, timeCandidates } from '@franca/tensor';

/** The side of square matrices whose product is a large one. */
const SIDE = 640;

/**
 * The choice on an adapter, measured now if it was not before, and with `measure` the others' speed. Undefined on a GPU, which has a choice
 * for every shape, and where there is none.
 */
export async function describeTiles(gpu: Gpu, measure: boolean): Promise<string | undefined> {
  if (gpu.target.family !== 'cpu') return undefined;
  const matrix = { shape: [SIDE, SIDE], dtype: 'f32' } as const;
  using step = await compile(gpu, (_, { a, b }) => matmul(a, b), { batch: { a: matrix, b: matrix } });
  const [choice] = chosenVariants(step.plan);
  if (!choice) return undefined;
  const { variant, candidates } = choice;
  const times = measure ? await timeCandidates(gpu, step.plan) : [];
  const seconds = (name: string): number | undefined => times.find((candidate) => candidate.name === name)?.seconds;
  const own = seconds(variant);
  const others = candidates
    .filter((name) => name !== variant)
    .map((name) => {
      const other = seconds(name);
      return own && other ? `${name} (${(own / other).toFixed(2)} of its speed)` : name;
    });
  return `${variant}, rather than ${others.join(', ')}`;
}
