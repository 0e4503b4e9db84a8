/**
 * One card among several, by its PCI address. Dawn opens the first adapter of a name and knows no index, so that it never opens the second of two cards
 * of one name. Mesa's device-select layer (VK_LAYER_MESA_device_select, Mesa 23.3 or newer, installed with Mesa's Vulkan drivers) stands before every Vulkan
 * driver, NVIDIA's too, and reads `DRI_PRIME=pci-0000_41_00_0!` whenever adapters are listed: it then hides all cards but that at 0000:41:00.0. Where it is
 * not there, or the address is of no card, nothing is hidden: whoever uses this looks at what is listed.
 */

/** The setting of the layer that hides all but the card at `address`, such as 0000:41:00.0. */
const settingOf = (address: string): string => `pci-${address.replace(/[:.]/g, '_')}!`;

/** Runs `call`, which lists adapters before it returns, so that no other card is seen. The environment is as before when this returns. */
export function seeingOnly<T>(address: string, call: () => T): T {
  // MESA_VK_DEVICE_SELECT would go before.
  const { DRI_PRIME: prime, MESA_VK_DEVICE_SELECT: select } = process.env;
  delete process.env.MESA_VK_DEVICE_SELECT;
  process.env.DRI_PRIME = settingOf(address);
  try {
    return call();
  } finally {
    if (prime === undefined) delete process.env.DRI_PRIME;
    else process.env.DRI_PRIME = prime;
    if (select !== undefined) process.env.MESA_VK_DEVICE_SELECT = select;
  }
}
