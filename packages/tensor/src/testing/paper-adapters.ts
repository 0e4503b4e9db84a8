/**
 * Kinds of adapters, as descriptions on paper, and a compiler for what would run on them. A plan needs no GPU, and Dawn's null backend offers all
 * features and computes nothing: so every kernel can be compiled anywhere, whichever adapter it is for.
 */
import { defaultTarget, matrixShapes, type Target } from '../base/target';
import type { Gpu } from '../device/gpu';
import type { Kernel } from '../graph/op';
import type { Plan } from '../plan/plan-types';

const LARGE_LIMITS = { maxWorkgroupBytes: 49152, maxWorkgroupInvocations: 1024, maxStorageBuffers: 16 };

const MATRICES = [
  { M: 16, N: 16, K: 16 },
  { M: 8, N: 8, K: 8 },
];

/** The kinds that NVIDIA's drivers are known to list (16x8x8, 16x8x16, 16x16x16), in their order, sorted as those of a device are. */
const NVIDIA_MATRICES = matrixShapes(
  [
    { M: 16, N: 8, K: 8 },
    { M: 16, N: 8, K: 16 },
    { M: 16, N: 16, K: 16 },
  ].map((shape) => ({ ...shape, componentType: 'f16', resultComponentType: 'f32' })),
);

/** One of each kind that kernels differ for. */
export const PAPER_ADAPTERS: readonly Target[] = [
  { ...defaultTarget, name: 'a CPU adapter with subgroups of 8', family: 'cpu', subgroupSize: 8, f16: true },
  { ...defaultTarget, name: 'a CPU adapter with subgroups of 16', family: 'cpu', subgroupSize: 16 },
  { ...defaultTarget, name: 'a CPU adapter without subgroups', family: 'cpu', f16: true },
  { ...defaultTarget, name: 'a GPU at default limits without features' },
  { ...defaultTarget, name: 'a GPU with subgroups', subgroupSize: 32, f16: true },
  {
    ...defaultTarget,
    name: 'a GPU with subgroup matrices, and subgroups of the size that kernels state',
    subgroupSize: 64,
    statesSubgroupSize: true,
    f16: true,
    subgroupMatrices: MATRICES,
  },
  {
    ...defaultTarget,
    name: 'a GPU with subgroup matrices and large limits',
    subgroupSize: 32,
    f16: true,
    subgroupMatrices: MATRICES,
    ...LARGE_LIMITS,
  },
  {
    ...defaultTarget,
    name: 'a GPU with the subgroup matrices of NVIDIA',
    subgroupSize: 32,
    f16: true,
    subgroupMatrices: NVIDIA_MATRICES,
    ...LARGE_LIMITS,
  },
];

/** The null device's largest subgroup, of which it wants workgroups with subgroup matrices to be made where they state no size. */
const NULL_LANES = 128;
function isOfWholeSubgroups({ wgsl }: Kernel): boolean {
  const [, invocations, lanes = NULL_LANES] = /@workgroup_size\((\d+)\)(?: @subgroup_size\((\d+)\))?/.exec(wgsl) ?? [];
  return !wgsl.includes('subgroup_matrix_') || Number(invocations) % Number(lanes) === 0;
}

/**
 * Compiles every kernel of a plan on the null backend (`openGpu({ adapter: 'null' })`), which must not have a word to say. `compiled` holds the shaders that are
 * passed over, and gets the new ones.
 * @returns a line per message of the compiler, with the kernel it is about
 */
export async function compileKernels(
  gpu: Gpu,
  { steps, target }: Plan,
  compiled: Set<string> = new Set(),
): Promise<string[]> {
  // the null backend has the default limits, so larger workgroups are checked as modules only
  const withPipeline = target.maxWorkgroupInvocations <= defaultTarget.maxWorkgroupInvocations;
  const problems: string[] = [];
  for (const step of steps) {
    if (step.kind !== 'kernel' || compiled.has(step.kernel.wgsl)) continue;
    compiled.add(step.kernel.wgsl);
    const module = gpu.device.createShaderModule({ code: step.kernel.wgsl });
    const { messages } = await module.getCompilationInfo();
    for (const { lineNum, message } of messages) {
      problems.push(`${step.kernel.label}:${lineNum} ${message}\n${step.kernel.wgsl}`);
    }
    if (withPipeline && messages.length === 0 && isOfWholeSubgroups(step.kernel)) await gpu.pipeline(step.kernel);
  }
  return problems;
}
