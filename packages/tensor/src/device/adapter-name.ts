/** What an adapter is called where choices for it are kept. */

/** A change of adapter, driver or anything `further` is a change of name. */
export function adapterName(
  { vendor, architecture, device, description }: GPUAdapterInfo,
  ...further: string[]
): string {
  return [vendor, architecture, device, description, ...further].filter(Boolean).join(', ');
}
