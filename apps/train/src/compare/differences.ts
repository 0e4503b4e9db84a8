/** The difference of each model to one of them, image by image where both have results of the same images; else only its size, and why. */
import { type EvalRecord, EvalsError, itemsValue, type PairedDifference, pairedDifference } from '@franca/evals';
import type { ComparedRow } from './rows';

/** A difference that is known, or only its size. */
export type RowDifference =
  | ({ readonly paired: true } & PairedDifference)
  | { readonly paired: false; readonly difference: number; readonly why: string };

/** One for each cell: model minus the one at `against`; undefined for that one itself, and where either has no result. */
export const differencesOf = ({ cells }: ComparedRow, against: number): (RowDifference | undefined)[] => {
  const reference = cells[against];
  return cells.map((cell, i) => (cell && reference && i !== against ? differenceOf(cell, reference) : undefined));
};

function differenceOf(record: EvalRecord, reference: EvalRecord): RowDifference {
  const unpaired = (why: string): RowDifference => ({
    paired: false,
    difference: record.value - reference.value,
    why: `not paired: ${why}`,
  });
  const [own, other] = [record.items, reference.items];
  if (!own || !other) return unpaired('no results per item');
  try {
    if (own.of === undefined || other.of === undefined) return unpaired('the names of the items are not known');
    if (own.of !== other.of) return unpaired('other images, or in another order');
    if (![record, reference].every(makesValue))
      return unpaired('results per item make another value than the record says');
    return { paired: true, ...pairedDifference(own, other) };
  } catch (error) {
    if (error instanceof EvalsError) return unpaired(error.message);
    throw error;
  }
}

/** f32 and another order of summation move a mean of shares by less. */
const ROUNDING = 1e-5;

const makesValue = ({ items, value }: EvalRecord): boolean =>
  items !== undefined && Math.abs(itemsValue(items) - value) <= ROUNDING * Math.max(1, Math.abs(value));

/** Of a share in points: `+3.2 [1.1, 5.3]`; what cannot be told from 0 says so. */
export function differenceText(found: RowDifference, unit: EvalRecord['unit']): string {
  const signed = (value: number): string =>
    unit === 'share'
      ? `${value < 0 ? '' : '+'}${(100 * value).toFixed(1)}`
      : `${value < 0 ? '' : '+'}${value.toPrecision(3)}`;
  if (!found.paired) return `${signed(found.difference)} ${found.why}`;
  const { difference, low, high, resolved, pValue } = found;
  const tested = !resolved && pValue !== undefined && (low > 0 || high < 0) ? `, p ${pValue.toFixed(3)}` : '';
  return `${signed(difference)} [${signed(low)}, ${signed(high)}]${resolved ? '' : ` not resolved${tested}`}`;
}
