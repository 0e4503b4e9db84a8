/** Compiled pipelines of a device: one per distinct WGSL text, and one layout per pattern of bindings. */
import { TensorError } from '../base/errors';
import type { Kernel } from '../graph/op';
import { GPU_SHADER_COMPUTE } from './flags';

/** The pipeline of a kernel, compiled when first asked for. `onCompile` hears of every compilation. */
export function pipelineCache(
  device: GPUDevice,
  onCompile: () => void,
): (kernel: Kernel) => Promise<GPUComputePipeline> {
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const layoutFor = layoutCache(device);
  return (kernel) => {
    const known = pipelines.get(kernel.wgsl);
    if (known) return known;
    onCompile();
    const compiled = compilePipeline(device, kernel, layoutFor(kernel));
    pipelines.set(kernel.wgsl, compiled);
    return compiled;
  };
}

function layoutCache(device: GPUDevice): (kernel: Kernel) => GPUPipelineLayout {
  const layouts = new Map<string, GPUPipelineLayout>();
  return ({ uniforms, bindings }) => {
    const key = [uniforms.length > 0, ...bindings.map(({ access }) => access)].join();
    const known = layouts.get(key);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = bindings.map(({ access }, i) => ({
      binding: i + 1,
      visibility: GPU_SHADER_COMPUTE,
      buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    if (uniforms.length > 0)
      entries.unshift({ binding: 0, visibility: GPU_SHADER_COMPUTE, buffer: { type: 'uniform' } });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] });
    layouts.set(key, layout);
    return layout;
  };
}

async function compilePipeline(
  device: GPUDevice,
  { label, wgsl }: Kernel,
  layout: GPUPipelineLayout,
): Promise<GPUComputePipeline> {
  // a shader that does not compile is reported below, not as a command that the device refused
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code: wgsl });
  device.popErrorScope().catch(() => {});
  try {
    return await device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } });
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const details = messages.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('\n');
    throw new TensorError(
      'shader',
      `kernel "${label}" does not compile: ${details || String(cause)}\n${numbered(wgsl)}`,
    );
  }
}

const numbered = (text: string): string =>
  text
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(4)} ${line}`)
    .join('\n');
