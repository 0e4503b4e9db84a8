/** The record of a stage, written anew with every figure: a stage that hangs or dies keeps what it had found. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { version } from '../../package.json';
import type { StageContext, StageRecord, StageReport, Status } from './stage';

/** Opens the record of a stage, as one that is running. */
export function openReport(context: StageContext): StageReport & { end(status: Status, error?: string): void } {
  const began = Date.now();
  let record: StageRecord = { ...emptyRecord(context), status: 'running' };
  const write = (change: Partial<StageRecord>): void => {
    record = { ...record, ...change, seconds: (Date.now() - began) / 1000 };
    writeRecord(context.record, record);
  };
  write({});
  return {
    card: (card) => write({ card }),
    figure: (figure) => write({ figures: [...record.figures, figure] }),
    note: (text) => write({ notes: [...record.notes, text] }),
    detail: (name, value) => write({ details: { ...record.details, [name]: value } }),
    end: (status, error) => write({ status, ...(error === undefined ? {} : { error }) }),
  };
}

/** A record in which nothing was found yet. */
export const emptyRecord = ({ stage, card, precision, preset, dry }: StageContext): StageRecord => ({
  stage,
  status: 'not run',
  began: new Date().toISOString(),
  seconds: 0,
  card,
  precision,
  preset,
  dry,
  node: process.version,
  version,
  figures: [],
  notes: [],
  details: {},
});

export function writeRecord(path: string, record: StageRecord): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(record, undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
}

/** The record at `path`, if there is a whole one. */
export function readRecord(path: string | undefined): StageRecord | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as StageRecord;
}
