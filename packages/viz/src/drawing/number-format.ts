/** Numbers for people: four significant digits at most, thousands parted, the very small and large in powers. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return trimExponent(value.toExponential(2));
  const decimals =
    size >= 1000 || Number.isInteger(value) ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.max(size, 1e-3))));
  const fixed = value.toFixed(Math.min(5, decimals));
  return groupThousands(fixed.includes('.') ? fixed.replace(/0+$/, '').replace(/\.$/, '') : fixed);
}

/** A share 0..1 as a percentage with one decimal. */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function groupThousands(text: string): string {
  const [whole, fraction] = text.split('.');
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function trimExponent(text: string): string {
  return text.replace(/\.?0+e/, 'e').replace('e+', 'e');
}
