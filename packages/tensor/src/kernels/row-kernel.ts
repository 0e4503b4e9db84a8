/**
 * Kernels that treat each row of a [rows, columns] matrix as a unit: softmax, normalisations, top-k. One team of lanes works on one row. On a
 * software adapter, and wherever the subgroup size is known, the team is one subgroup and reduces in registers; elsewhere it is a
 * workgroup that reduces through a tree in workgroup memory. The body is the same: it calls `rowSum`, `rowMax` or `rowMin`.
 */
import type { Target } from '../base/target';
import type { Kernel, KernelKind } from '../graph/op';
import type { KernelBuilder, KernelSource } from './kernel-builder';

export interface RowBody {
  /** Statements run by every lane of the team; in scope: `row`, `lane`, `LANES`. Loop over columns by `for (var c = lane; c < n; c += LANES)`. */
  readonly body: string;
  readonly declarations?: string;
  readonly rows: number;
  /** Columns one lane step covers (columns / vector width): decides how large a team is worth it. */
  readonly steps: number;
  readonly flops?: number;
  /** Default `rows`. */
  readonly kind?: KernelKind;
  /** How often the longest loop goes through a row (default 1). */
  readonly rounds?: number;
  /** Elements that the kernel touches of a tensor, where these are not all of it. */
  readonly touched?: KernelSource['touched'];
  /** Whether a software adapter may give many short rows to a lane each: `LANES` is 1 then. */
  readonly alone?: boolean;
}

const REDUCERS = ['Sum', 'Max', 'Min'] as const;
const COMBINE = { Sum: 'a + b', Max: 'max(a, b)', Min: 'min(a, b)' } as const;

export function rowKernel(
  k: KernelBuilder,
  { body, declarations = '', rows, steps, flops = 0, kind = 'rows', rounds = 1, touched, alone = false }: RowBody,
): Kernel {
  const used = REDUCERS.filter((name) => body.includes(`row${name}(`));
  const lanes = alone && isAlone(k.target, rows, steps) ? 1 : teamSize(k.target, steps, rounds);
  const functions =
    lanes === 1
      ? aloneReducers(used)
      : k.target.subgroupSize === lanes
        ? subgroupReducers(used)
        : treeReducers(used, lanes);
  const source = {
    declarations: [`const LANES = ${lanes}u;`, used.length > 0 ? functions : '', declarations].join('\n'),
    flops,
    kind,
    serial: rounds * Math.ceil(steps / lanes),
    ...(touched && { touched }),
  };
  const inside = `if (row >= ${k.uniform(rows)}) { return; }\n${body}`;
  const { family, subgroupSize } = k.target;
  if (lanes === 1)
    return k.build({
      ...source,
      body: `  let row = thread;\n  { let lane = 0u;\n  ${inside} }`,
      workgroupSize: ROWS_ALONE,
      workgroups: Math.ceil(rows / ROWS_ALONE),
    });
  // a software adapter starts a workgroup for about the price of a short row
  if (family === 'cpu' && subgroupSize === lanes && rows >= MANY_ROWS)
    return k.build({
      ...source,
      body: `  let row = group * ${TEAMS}u + sgId;\n  { let lane = sgLane;\n  ${inside} }`,
      workgroupSize: TEAMS * lanes,
      workgroups: Math.ceil(rows / TEAMS),
    });
  return k.build({
    ...source,
    // `me` hands the lane to the tree's functions
    body: `${functions.includes('var<private> me') && used.length > 0 ? '  me = lane;\n' : ''}  let row = group;\n  ${inside}`,
    workgroupSize: lanes,
    workgroups: rows,
  });
}

// A lane that has a row to itself walks contiguous memory, and nothing is reduced across lanes.
const ROWS_ALONE = 64;
const SHORT_ROW = 32;
const isAlone = ({ family }: Target, rows: number, steps: number): boolean =>
  family === 'cpu' && rows >= MANY_ROWS && steps <= SHORT_ROW;

/** Teams in one workgroup where there are many rows. */
const TEAMS = 8;
const MANY_ROWS = 256;

/** Lanes that a row is worth on a GPU, and steps of a lane, over all rounds, above which it is worth more of them. */
const USUAL_LANES = 256;
const MOST_STEPS = 64;

/** One subgroup on software adapters (a barrier costs more than any row); on GPUs enough lanes that each takes a few steps. */
export function teamSize({ family, subgroupSize, maxWorkgroupInvocations }: Target, steps: number, rounds = 1): number {
  if (family === 'cpu' && subgroupSize) return subgroupSize;
  const isWorth = (lanes: number): boolean =>
    lanes <= USUAL_LANES ? lanes <= steps : steps * rounds > (lanes / 2) * MOST_STEPS;
  let lanes = subgroupSize ?? 32;
  while (lanes * 2 <= maxWorkgroupInvocations && isWorth(lanes * 2)) lanes *= 2;
  return lanes;
}

const aloneReducers = (used: readonly (keyof typeof COMBINE)[]): string =>
  used.map((name) => `fn row${name}(x: f32) -> f32 { return x; }`).join('\n');

const subgroupReducers = (used: readonly (keyof typeof COMBINE)[]): string =>
  used.map((name) => `fn row${name}(x: f32) -> f32 { return subgroup${name === 'Sum' ? 'Add' : name}(x); }`).join('\n');

const treeReducers = (used: readonly (keyof typeof COMBINE)[], lanes: number): string =>
  [
    `var<workgroup> tree: array<f32, ${lanes}>;`,
    'var<private> me: u32;',
    ...used.map(
      (name) => `fn row${name}(x: f32) -> f32 {
  workgroupBarrier();
  tree[me] = x;
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (me < half) { let a = tree[me]; let b = tree[me + half]; tree[me] = ${COMBINE[name]}; }
  }
  return workgroupUniformLoad(&tree[0]);
}`,
    ),
  ].join('\n');
