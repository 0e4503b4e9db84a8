/**
 * Kernels in which every unit of a result is computed by itself: elementwise programs, copies. A software adapter wants an invocation to walk
 * contiguous memory, which also spreads what starting it costs; a GPU wants neighbours to touch neighbouring memory.
 */
import type { Target } from '../base/target';
import type { Kernel } from '../graph/op';
import type { KernelBuilder, KernelSource } from './kernel-builder';

export interface UnitBody extends Omit<KernelSource, 'workgroupSize' | 'workgroups'> {
  readonly units: number;
  /** Statements that compute unit `i`. */
  readonly body: string;
}

const GROUP = 64;
const UNITS_PER_INVOCATION = { cpu: 4, gpu: 1 } as const;

export function unitKernel(k: KernelBuilder, { units, body, ...source }: UnitBody): Kernel {
  const own = UNITS_PER_INVOCATION[k.target.family];
  const n = k.uniform(units);
  const loop =
    own === 1
      ? `  if (thread >= ${n}) { return; }\n  let i = thread;\n${body}`
      : `  let first = thread * ${own}u;\n  for (var i = first; i < min(first + ${own}u, ${n}); i++) {\n${body}\n  }`;
  return k.build({
    // what an invocation does by itself is no loop over memory
    ...(own === 1 ? {} : { serial: 1 }),
    ...source,
    body: loop,
    workgroupSize: GROUP,
    workgroups: Math.ceil(units / (GROUP * own)),
  });
}

const FEW_THREADS = 1024;

/** Invocations of a workgroup where each has much to do: few of them go to a software adapter's processors one subgroup at a time. */
export const threadsOfGroup = (threads: number, { family, subgroupSize }: Target): number =>
  family === 'cpu' && subgroupSize !== undefined && threads < FEW_THREADS ? subgroupSize : GROUP;
