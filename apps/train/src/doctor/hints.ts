/** What to install or change so that a better adapter answers, from what the machine and its adapter look like. */
import type { Target } from '@franca/tensor';
import { type Host, unseenCard } from '@franca/tensor/node';

/** Advice, most useful first; empty when there is nothing to improve. */
export function driverHints(target: Target, host: Host): string[] {
  const hints: string[] = [];
  const software = target.family === 'cpu';
  const unseen = software ? unseenCard(host) : undefined;
  if (unseen) hints.push(unseen);
  if (/swiftshader/i.test(target.name))
    hints.push(
      "SwiftShader is the slowest adapter; Mesa's lavapipe is about 8 times faster (Debian and Ubuntu: mesa-vulkan-drivers 24 or newer)",
    );
  if (!software && !target.f16)
    hints.push('the adapter offers no f16, so runs take twice the memory; a newer driver may offer it');
  if (!software && target.maxBindingBytes < 2 ** 30)
    hints.push(
      `the adapter binds at most ${target.maxBindingBytes / 2 ** 20} MiB at once; large models are split into many more kernels`,
    );
  return hints;
}
