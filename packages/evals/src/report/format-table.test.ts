import { expect, test } from 'vitest';
import { type EvalRecord, evalRecord, type Outcome } from '../outcome';
import { formatTable } from './format-table';

const outcome: Outcome = {
  task: 'knn',
  protocol: 'dinov2',
  variant: '',
  evaluated: 40,
  total: 50,
  metric: 'top-1',
  value: 0.8125,
  unit: 'share',
  others: { 'top-1 k=10': 0.8, 'top-1 k=20': 0.8125, 'top-1 k=100': 0.7 },
  perClass: [],
  hyper: { k: 20 },
  selectedOn: 'test',
  seeds: [],
  quirks: false,
  wallMs: 12,
};
const subject = { dataset: 'imagenet-1k', split: 'val', features: 'mine', preprocessing: 'crop 224' };

test('shares are in percent, with the items evaluated, what was chosen on what, and the paper beside', () => {
  const printed = formatTable([evalRecord(subject, { ...outcome, evaluated: 50_000, total: 50_000 })]);
  const cells = (line: string) => line.split(/ {2,}/);
  const [head, row, ...more] = printed.split('\n');
  expect(more).toEqual([]);
  expect(cells(head!)).toEqual([
    'task',
    'value',
    'metric',
    'features',
    'paper: Franca-B',
    'paper: DINOv2-B',
    'items',
    'data set',
    'chosen on',
    'protocol',
    'further',
  ]);
  expect(cells(row!)).toEqual([
    'knn',
    '81.3',
    'top-1',
    'mine',
    '80.9',
    '82.1',
    '50000',
    'imagenet-1k val',
    'test',
    'dinov2',
    'top-1 k=10 80.0, top-1 k=20 81.3',
  ]);
  expect(printed).not.toContain('k=100');
  const part = formatTable([evalRecord(subject, outcome)]);
  expect(part).toContain('40 of 50');
  expect(part).not.toContain('paper');
});

test('what several records share stands once above them, and only what differs below', () => {
  const records = ['width 96', 'width 48'].map((variant) =>
    evalRecord({ ...subject, dataset: 'photos' }, { ...outcome, variant }),
  );
  expect(formatTable(records, { others: 0 }).split('\n')).toEqual([
    'features: mine, data set: photos val, chosen on: test, protocol: dinov2',
    'task  variant   value  metric  items',
    'knn   width 96  81.3   top-1   40 of 50',
    'knn   width 48  81.3   top-1   40 of 50',
  ]);
});

test('lines are cut at the width of the terminal', () => {
  expect(formatTable([evalRecord(subject, outcome)], { columns: 20 }).split('\n')).toEqual([
    'task  value  metric…',
    'knn   81.3   top-1 …',
  ]);
});

test('on a data set that the paper does not have, no column pretends so', () => {
  const printed = formatTable([
    evalRecord({ ...subject, dataset: 'my-photos' }, { ...outcome, unit: 'number', value: -0.01234 }),
  ]);
  expect(printed).not.toContain('paper');
  expect(printed).toContain('-0.01234');
});

test('quirks are marked', () => {
  const record: EvalRecord = evalRecord(subject, { ...outcome, quirks: true });
  expect(formatTable([record])).toContain('knn (quirks)');
});

test('a record survives JSON, and one that would not is refused', () => {
  const record = evalRecord(subject, outcome);
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  expect(() => evalRecord(subject, { ...outcome, value: Number.NaN })).toThrow(/value is NaN/);
});
