/** Which preset suits an adapter: the largest of its kind whose stated memory fits. */
import type { Preset } from '../config/presets';

/** Bytes from a stated amount such as `12.3 GiB`; undefined if the preset states none. */
export function statedBytes({ facts }: Preset): number | undefined {
  const [, amount, unit] = /([\d.]+) *([MG])iB/.exec(facts.memory ?? '') ?? [];
  return amount === undefined ? undefined : Number(amount) * (unit === 'G' ? 2 ** 30 : 2 ** 20);
}

/** Share of a device's memory that a run may plan with; the rest is the driver's. */
const USABLE = 0.9;

/** Whether a preset's stated memory fits; undefined if either is unknown. */
export function fits(preset: Preset, memory: number | undefined): boolean | undefined {
  const needed = statedBytes(preset);
  return needed === undefined || memory === undefined ? undefined : needed <= USABLE * memory;
}

/** The preset to start with on such an adapter. */
export function recommendedPreset(
  family: 'cpu' | 'gpu',
  presets: readonly Preset[],
  memory: number | undefined,
): string {
  const own = presets.filter(({ name }) => name.startsWith(`${family}-`));
  const fitting = own.filter((preset) => fits(preset, memory));
  const byMemory = (a: Preset, b: Preset) => (statedBytes(b) ?? 0) - (statedBytes(a) ?? 0);
  return (
    (family === 'gpu' ? [...fitting].sort(byMemory)[0]?.name : undefined) ??
    `${family}-${family === 'cpu' ? 'tiny' : 'small'}`
  );
}
