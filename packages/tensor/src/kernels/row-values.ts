/**
 * A row as the lanes of its team go through it, for kernels that pass over it several times (see `row-kernel.ts`). A short row is read once
 * and held in registers, and what is computed of it twice the compiler computes once; a long one is read again on every pass, from cache.
 * The text of a kernel is the same for both.
 */
import type { Target } from '../base/target';
import { teamSize } from './row-kernel';

// Steps of one lane that are held. Each is written out, and more of them take longer to compile than they save.
const HELD = 8;

export interface RowValues {
  /** Statements that read the row, where it is held; to be placed where everything that `load` names is in scope. */
  readonly hold: string;
  /** WGSL that runs `body` for each of the lane's steps. `values` name what `load` gave at column `c`. */
  each(body: (values: readonly string[], c: string) => string): string;
}

/** `steps` of the row, also given in WGSL as `n`; `load` gives WGSL of the values that are needed of a step. */
export function rowValues(target: Target, steps: number, n: string, load: (c: string) => readonly string[]): RowValues {
  const lanes = teamSize(target, steps);
  const count = Math.ceil(steps / lanes);
  const read = (names: readonly string[], c: string): string =>
    load(c)
      .map((value, i) => `let ${names[i]} = ${value};`)
      .join(' ');
  const names = (j: number): string[] => load('').map((_, i) => `x${j}_${i}`);
  if (count > HELD)
    return {
      hold: '',
      each: (body) => `  for (var c = lane; c < ${n}; c += LANES) { ${read(names(0), 'c')} ${body(names(0), 'c')} }`,
    };
  const held = Array.from({ length: count }, (_, j) => ({
    c: `(lane + ${j * lanes}u)`,
    whole: (j + 1) * lanes <= steps,
    names: names(j),
  }));
  return {
    hold: held.map(({ c, whole, names }) => `  ${read(names, whole ? c : `min(${c}, ${n} - 1u)`)}`).join('\n'),
    each: (body) =>
      held
        .map(({ c, whole, names }) => (whole ? `  ${body(names, c)}` : `  if (${c} < ${n}) { ${body(names, c)} }`))
        .join('\n'),
  };
}
