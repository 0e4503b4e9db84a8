/** A graphics card that is in this machine, by its device file, though no GPU answers: what to install so that Vulkan sees it. */
import { existsSync } from 'node:fs';

/** What of the computer tells of cards. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** Device files of GPUs: an NVIDIA card, any card with a kernel driver. */
  readonly nvidiaDevice: boolean;
  readonly renderDevice: boolean;
}

/** This machine. */
export const thisHost = (): Host => ({
  platform: process.platform,
  nvidiaDevice: existsSync('/dev/nvidia0'),
  renderDevice: existsSync('/dev/dri/renderD128'),
});

/** For a host where only a software adapter answers: the card that there is all the same, and what to do; undefined where there is none. */
export function unseenCard({ platform, nvidiaDevice, renderDevice }: Host): string | undefined {
  if (nvidiaDevice)
    return "there is an NVIDIA card, but Vulkan does not see it; install libvulkan1 and the driver's Vulkan part (Debian: nvidia-vulkan-icd; in a container: NVIDIA_DRIVER_CAPABILITIES=all)";
  if (renderDevice && platform === 'linux')
    return 'there is a graphics card, but Vulkan does not see it; install mesa-vulkan-drivers, and see that you may open /dev/dri/renderD128 (group render)';
  return undefined;
}
