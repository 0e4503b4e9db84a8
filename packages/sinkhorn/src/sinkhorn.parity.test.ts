import { describe, expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import type { Shape } from './logits';
import { type SinkhornOptions, sinkhorn } from './sinkhorn-arrays';

const file = parityFile('sinkhorn');
const temperature: number = file.config.temp;
const tolerance = { absolute: 1e-5 };

/** Targets for a stored matrix of logits. */
function targets(logits: string, options: Partial<SinkhornOptions>): Float64Array {
  return sinkhorn(file.floats(logits), file.shape(logits) as unknown as Shape, { temperature, ...options });
}

/** Outputs are named `<case>.<implementation>.it<iterations>`, with `.<level>` where there are several heads. */
const outputs = file.names.flatMap((name) => {
  const parts = name.match(/^(\w+)\.(\w+)\.it(\d+)(\.\d+)?$/);
  if (!parts) return [];
  const [, group, implementation, iterations, level = ''] = parts;
  return [{ name, group: group!, implementation: implementation!, iterations: Number(iterations), level }];
});
const plain = outputs.filter(({ group }) => group !== 'padded');

describe('f64 log-domain reference, extreme logits included', () => {
  test.each(plain.filter(({ implementation }) => implementation === 'ref64'))('$name', (output) => {
    const actual = targets(`${output.group}.logits${output.level}`, { iterations: output.iterations });
    checkParity(file, output.name, actual, file.floats(output.name), tolerance);
  });
});

describe('official implementations on ordinary logits', () => {
  const extreme = new Set(
    Object.keys(file.config.official_on_extreme_logits).map((name) => name.slice(0, name.indexOf('.'))),
  );
  const official = plain.filter(({ implementation, group }) => implementation !== 'ref64' && !extreme.has(group));
  test.each(official)('$name', (output) => {
    const actual = targets(`${output.group}.logits${output.level}`, { iterations: output.iterations });
    checkParity(file, output.name, actual, file.floats(output.name), tolerance);
  });
});

describe('padding', () => {
  const validRows = file.ints('padded.n_masked')[0]!;
  const padded = outputs.filter(({ group }) => group === 'padded');

  test.each(padded.filter(({ implementation }) => !implementation.endsWith('sliced')))('included: $name', (output) => {
    const actual = targets('padded.logits', { validRows, padding: 'include', iterations: output.iterations });
    checkParity(file, output.name, actual, file.floats(output.name), tolerance);
  });

  test.each(padded.filter(({ implementation }) => implementation.endsWith('sliced')))('excluded: $name', (output) => {
    const actual = targets('padded.logits', { validRows, iterations: output.iterations });
    const expected = file.floats(output.name);
    checkParity(file, output.name, actual.subarray(0, expected.length), expected, tolerance);
    expect(actual.subarray(expected.length).every((target) => target === 0)).toBe(true);
  });
});
