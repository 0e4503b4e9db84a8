/** What to install or change so that a better adapter answers, from what the machine and its adapter look like. */
import { existsSync } from 'node:fs';
import type { Target } from '@franca/tensor';

/** What of the computer matters for the hints. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** Device files of GPUs: an NVIDIA card, any card with a kernel driver. */
  readonly nvidiaDevice: boolean;
  readonly renderDevice: boolean;
}

export const thisHost = (): Host => ({
  platform: process.platform,
  nvidiaDevice: existsSync('/dev/nvidia0'),
  renderDevice: existsSync('/dev/dri/renderD128'),
});

/** Advice, most useful first; empty when there is nothing to improve. */
export function driverHints(target: Target, host: Host): string[] {
  const hints: string[] = [];
  const software = target.family === 'cpu';
  if (software && host.nvidiaDevice)
    hints.push(
      "There is an NVIDIA card, but Vulkan does not see it: install libvulkan1 and the driver's Vulkan part (Debian: nvidia-vulkan-icd; in a container: NVIDIA_DRIVER_CAPABILITIES=all).",
    );
  else if (software && host.renderDevice && host.platform === 'linux')
    hints.push(
      'There is a graphics card, but Vulkan does not see it: install mesa-vulkan-drivers, and see that you may open /dev/dri/renderD128 (group render).',
    );
  if (/swiftshader/i.test(target.name))
    hints.push(
      "SwiftShader is the slowest adapter: Mesa's lavapipe is about 8 times faster (Debian and Ubuntu: mesa-vulkan-drivers 24 or newer).",
    );
  if (!software && !target.f16)
    hints.push('The adapter offers no f16: runs take twice the memory. A newer driver may offer it.');
  if (!software && target.maxBindingBytes < 2 ** 30)
    hints.push(
      `The adapter binds at most ${target.maxBindingBytes / 2 ** 20} MiB at once: large models are split into many more kernels.`,
    );
  return hints;
}
