/** Amounts of memory and time as people write them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1536 as `1.5 KiB`. */
export function amountOfBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}

/** 3700 as `1h 01m`, in the two largest units; `--` where it is not known. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '--';
  const whole = Math.max(0, Math.round(seconds));
  const [d, h, m, s] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (d > 0) return `${d}d ${h}h`;
  if (h > 0) return `${h}h ${String(m).padStart(2, '0')}m`;
  return m > 0 ? `${m}m ${String(s).padStart(2, '0')}s` : `${s}s`;
}

const TIME_UNITS = [
  ['days', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** 3725 as `62 min`: two digits, as much as is known of what lies ahead. */
export function aboutDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '--';
  if (seconds < 1) return seconds <= 0 ? '-' : 'under 1 s';
  const [name, length] = TIME_UNITS.find(([, unit]) => seconds >= 2 * unit) ?? ['s', 1];
  return `${Number((seconds / length).toPrecision(2))} ${name}`;
}
