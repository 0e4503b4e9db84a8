/** All figures of a campaign as one table, short enough for a terminal that keeps little. */
import type { Figure, StageRecord } from './stage';

/** Characters of it all. */
const MOST_CHARACTERS = 11_000;

/** The figures, notes and errors of records. What does not fit is counted. */
export function describeRecords(records: readonly StageRecord[]): string {
  const lines = records.flatMap(linesOf);
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > MOST_CHARACTERS) break;
    kept.push(line);
  }
  const missing = lines.length - kept.length;
  return [...kept, ...(missing > 0 ? [`... and ${missing} lines more in the records`] : [])].join('\n');
}

function linesOf({ stage, status, seconds, card, precision, dry, error, figures, notes }: StageRecord): string[] {
  const about = [
    card.replace(/ \(.*/, '') || 'no card',
    precision,
    ...(dry ? ['DRY: says nothing about a GPU'] : []),
  ].join(', ');
  const width = Math.min(44, Math.max(0, ...figures.map(({ name }) => name.length)));
  return [
    '',
    `${stage}: ${status}, ${seconds.toFixed(0)} s (${about})`,
    ...(error ? [`  ${error.split('\n')[0]}`] : []),
    ...figures.map((figure) => `  ${figureLine(figure, width)}`),
    ...notes.map((note) => `  - ${note}`),
  ];
}

function figureLine({ name, value, unit, beside }: Figure, width: number): string {
  return `${name.padEnd(width)} ${shortNumber(value).padStart(9)} ${unit}${beside ? `  ${beside}` : ''}`;
}

/** Four digits, without an exponent where that stays short. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const text = value.toPrecision(4);
  return text.includes('e') ? text : String(Number(text));
}
