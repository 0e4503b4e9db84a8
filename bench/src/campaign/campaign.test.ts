import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { chosen, fileOf, runStage } from './campaign';
import { parseOptions } from './campaign-options';
import { runChild } from './child';
import type { StageContext, StageRecord } from './stage';
import { openReport, readRecord } from './stage-report';
import { STAGES } from './stages/index';
import { describeRecords, shortNumber } from './table';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'campaign-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const contextIn = (stage: string, seconds = 30): StageContext => ({
  stage,
  record: join(folder, `${stage}.json`),
  work: folder,
  before: {},
  seconds,
  precision: 'f16',
  card: 'A card',
  dry: true,
  preset: 'cpu-tiny',
});

/** Whether a process lives; one that is dead may still await its parent (`Z`). */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** A stage that is a program of a few words, which is told where its record goes. */
const script = (text: string) => (context: string) => [process.execPath, '-e', text, context] as const;
const stage = (name: string, seconds = 30) => ({ name, about: 'tries something', seconds, run: async () => {} });

describe('a stage', () => {
  test('that hangs is ended, with what it started, and keeps what it had found', async () => {
    const pid = join(folder, 'pid');
    const text = `
      const { record } = JSON.parse(process.argv[1]);
      const child = require('node:child_process').spawn('sleep', ['60']);
      require('node:fs').writeFileSync(${JSON.stringify(pid)}, String(child.pid));
      require('node:fs').writeFileSync(record, JSON.stringify({ status: 'running', figures: [{ name: 'found', value: 3, unit: 'ms' }], notes: [], details: {} }));
      console.log('said before'); setInterval(() => {}, 1000);`;
    const record = await runStage(stage('hangs'), contextIn('hangs', 1), { least: 0.5, command: script(text) });
    expect(record).toMatchObject({ status: 'out of time', error: 'ended after 1 s', figures: [{ value: 3 }] });
    expect(record.details.output).toBe('said before\n');
    expect(readRecord(join(folder, 'hangs.json'))).toEqual(record);
    await expect.poll(() => isRunning(readFileSync(pid, 'utf8'))).toBe(false);
  });

  test('that dies leaves a record with its last words', async () => {
    const text = `console.error('the driver went away'); process.kill(process.pid, 'SIGSEGV')`;
    const record = await runStage(stage('dies'), contextIn('dies'), { command: script(text) });
    expect(record).toMatchObject({ status: 'failed', error: 'exit status 1', card: 'A card', dry: true });
    expect(record.details.output).toBe('the driver went away\n');
  });

  test('that cannot be started is a failure and no crash', async () => {
    const record = await runStage(stage('absent'), contextIn('absent'), { command: () => ['/no/such/program'] });
    expect(record).toMatchObject({ status: 'failed', error: 'exit status 127' });
  });

  test('without time is not run, and says so', async () => {
    const record = await runStage(stage('late'), contextIn('late', 1));
    expect(record).toMatchObject({ status: 'not run', error: 'no time was left of the budget' });
    expect(readdirSync(folder)).toEqual(['late.json']);
  });

  test('writes every figure at once', () => {
    const context = contextIn('writes');
    const report = openReport(context);
    report.figure({ name: 'copy', value: 12.5, unit: 'GB/s' });
    expect(readRecord(context.record)).toMatchObject({ status: 'running', figures: [{ name: 'copy', value: 12.5 }] });
    report.note('a note');
    report.end('failed', 'why');
    expect(readRecord(context.record)).toMatchObject({ status: 'failed', error: 'why', notes: ['a note'] });
  });

  test('of an older campaign is no record of this one', () => {
    writeFileSync(join(folder, 'old.json'), '{}');
    expect(readRecord(join(folder, 'none.json'))).toBeUndefined();
    expect(readRecord(undefined)).toBeUndefined();
  });
});

test('what a program prints is passed on, and its end kept', async () => {
  const shown = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const ended = await runChild([process.execPath, '-e', `console.log('x'.repeat(9000) + 'end')`], 20);
  expect(ended).toMatchObject({ status: 0, timedOut: false });
  expect(ended.tail).toHaveLength(4000);
  expect(ended.tail.endsWith('xend\n')).toBe(true);
  expect(shown.mock.calls.map(([chunk]) => String(chunk)).join('')).toHaveLength(9004);
  shown.mockRestore();
});

test('records are named by day, card and stage', () => {
  const day = new Date('2026-11-28T12:00:00Z');
  expect(fileOf('out', 'NVIDIA H200', 'products', day)).toBe('out/2026-11-28-nvidia-h200-products.json');
  expect(fileOf('out', 'llvmpipe (LLVM 15.0.6, 256 bits)', 'step', day)).toBe('out/2026-11-28-llvmpipe-step.json');
  expect(fileOf('out', '', 'doctor', day)).toBe('out/2026-11-28-card-doctor.json');
});

test('the doctor comes first, whatever is asked for', () => {
  expect(chosen(['train']).map(({ name }) => name)).toEqual(['doctor', 'train']);
  expect(chosen([]).map(({ name }) => name)).toEqual(['doctor']);
});

describe('the command line', () => {
  test('leaves out the tests unless they are asked for, or all is dry', () => {
    const names = STAGES.map(({ name }) => name);
    expect(parseOptions(['--out', 'a']).stages).toEqual(names.filter((name) => name !== 'tests'));
    expect(parseOptions(['--out', 'a', '--dry']).stages).toEqual(names);
    expect(parseOptions(['--out', 'a', '--stages', 'tests, train']).stages).toEqual(['tests', 'train']);
  });

  test.each([
    [[], /--out <folder>/],
    [['--out', 'a', '--budget', 'much'], /--budget is much; it is a number of seconds/],
    [['--out', 'a', '--precision', 'bf16'], /--precision is bf16; it is f16 or f32/],
    [['--out', 'a', '--stages', 'doctor,smok'], /no stage is named smok; there are doctor, /],
    [['--out', 'a', '--fast'], /--fast/],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe('the table', () => {
  const record: StageRecord = {
    ...{ stage: 'step', status: 'done', began: '', seconds: 12.3, card: 'A card', precision: 'f16', preset: 'p' },
    ...{ dry: false, node: 'v20', version: '0', details: {}, notes: ['a note'] },
    figures: [{ name: 'engine', value: 123.456, unit: 'ms', beside: '0.55 of PyTorch' }],
  };

  test('has every figure, note and error', () => {
    const failed = { ...record, stage: 'smoke', status: 'failed', error: 'first\nsecond', figures: [] } as const;
    expect(describeRecords([record, failed]).split('\n')).toEqual([
      '',
      'step: done, 12 s (A card, f16)',
      '  engine     123.5 ms  0.55 of PyTorch',
      '  - a note',
      '',
      'smoke: failed, 12 s (A card, f16)',
      '  first',
      '  - a note',
    ]);
  });

  test('fits a terminal that keeps little, and counts what does not', () => {
    const many = { ...record, figures: Array.from({ length: 1000 }, () => record.figures[0]!) };
    const text = describeRecords([many]);
    expect(text.length).toBeLessThan(12_000);
    expect(text).toMatch(/\n\.\.\. and \d+ lines more in the records$/);
  });

  test.each([
    [123.456, '123.5'],
    [0.000123456, '0.0001235'],
    [1e-9, '1.000e-9'],
    [3252, '3252'],
    [Number.NaN, 'NaN'],
  ])('%d reads %s', (value, text) => {
    expect(shortNumber(value)).toBe(text);
  });
});
