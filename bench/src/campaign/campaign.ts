/**
 * The campaign: every figure that a GPU can give, in one command. Stages run one after another, each in a process of its own with a limit
 * of time, and write their records at once, so that one that hangs or fails ends itself only. The doctor is always first: no GPU, no
 * campaign; a GPU without f16 matrices computes all of it in f32.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CampaignOptions } from './campaign-options';
import { runChild } from './child';
import { type Program, stageCommand } from './programs';
import type { Precision, Stage, StageContext, StageRecord } from './stage';
import { emptyRecord, readRecord, writeRecord } from './stage-report';
import type { Verdict } from './stages/doctor';
import { STAGES } from './stages/index';
import { describeRecords } from './table';

/** Seconds kept for the table and for ending a stage that does not end itself. */
const RESERVE = 8;
/** A stage is not begun with less than this. */
const LEAST_SECONDS = 5;

/** Runs the stages and prints the table of their figures. Resolves to the exit status: 0 only if each of them came to its end. */
export async function campaign(options: CampaignOptions): Promise<number> {
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'franca-campaign-'));
  const ends = performance.now() + 1000 * options.budget;
  const records: StageRecord[] = [];
  const files: Record<string, string> = {};
  let { precision } = options;
  let card = '';
  try {
    for (const stage of chosen(options.stages)) {
      const left = (ends - performance.now()) / 1000 - RESERVE;
      const path = fileOf(out, card, stage.name);
      const context = contextOf(options, { stage: stage.name, record: path, work, before: files, card, precision });
      const seconds = Math.min(left, options.dry ? Math.max(stage.seconds, left) : stage.seconds);
      const record = await runStage(stage, { ...context, seconds });
      if (stage === STAGES[0]) {
        const verdict = record.details.verdict as Verdict | undefined;
        card = record.card || 'unknown';
        precision = precision ?? verdict?.precision ?? 'f32';
        files[stage.name] = rename(path, fileOf(out, card, stage.name));
        records.push(record);
        const refusal = refusalOf(record, verdict, options);
        if (refusal) {
          console.error(refusal);
          return 1;
        }
        continue;
      }
      files[stage.name] = path;
      records.push(record);
    }
    return records.every(({ status }) => status === 'done') ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
    console.log(describeRecords(records));
    console.log(`records in ${out}: ${readdirSync(out).length} files`);
  }
}

/** The stages of those names in their own order, the doctor first whether or not it was asked for. */
export function chosen(names: readonly string[]): Stage[] {
  return STAGES.filter(({ name }, i) => i === 0 || names.includes(name));
}

/** `<date>-<card>-<stage>.json`, as `bench/results` keeps them. */
export function fileOf(out: string, card: string, stage: string, today: Date = new Date()): string {
  const words = card
    .toLowerCase()
    .replace(/\(.*$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return join(out, `${[today.toISOString().slice(0, 10), words || 'card', stage].join('-')}.json`);
}

function rename(from: string, to: string): string {
  if (existsSync(from)) renameSync(from, to);
  return to;
}

type Given = Pick<StageContext, 'stage' | 'record' | 'work' | 'before' | 'card'> & {
  readonly precision: Precision | undefined;
};

function contextOf({ dry, preset, data, python }: CampaignOptions, given: Given): Omit<StageContext, 'seconds'> {
  return {
    ...given,
    precision: given.precision ?? 'f16',
    dry,
    preset,
    ...(data === undefined ? {} : { data: resolve(data) }),
    ...(python === undefined ? {} : { python }),
  };
}

/** Runs a stage in a process of its own; whatever becomes of that, there is a record. */
export async function runStage(
  { name, about }: Pick<Stage, 'name' | 'about'>,
  context: StageContext,
  { least = LEAST_SECONDS, command = stageCommand }: { least?: number; command?: (context: string) => Program } = {},
): Promise<StageRecord> {
  if (context.seconds < least) {
    const record = { ...emptyRecord(context), error: 'no time was left of the budget' };
    writeRecord(context.record, record);
    return record;
  }
  console.log(`== ${name}: ${about} (at most ${Math.round(context.seconds)} s)`);
  const began = Date.now();
  const { status, timedOut, tail } = await runChild(command(JSON.stringify(context)), context.seconds);
  const record = { ...emptyRecord(context), ...readRecord(context.record) };
  if (record.status === 'done' && status === 0) return record;
  const ended: StageRecord = {
    ...record,
    seconds: (Date.now() - began) / 1000,
    status: timedOut ? 'out of time' : 'failed',
    error: record.error ?? (timedOut ? `ended after ${Math.round(context.seconds)} s` : `exit status ${status}`),
    details: { ...record.details, output: tail },
  };
  writeRecord(context.record, ended);
  return ended;
}

function refusalOf(
  record: StageRecord,
  verdict: Verdict | undefined,
  { dry, precision }: CampaignOptions,
): string | undefined {
  if (!verdict)
    return `the doctor did not come to a verdict (${record.error ?? 'no reason known'}); no other stage was run`;
  if (dry) return undefined;
  if (!verdict.gpu)
    return `${record.card} computes on the processor: no figure of it is one of a GPU; install the GPU's Vulkan driver, or try the campaign itself with --dry`;
  if (precision === 'f16' && verdict.precision !== 'f16')
    return `${record.card} offers no f16 with subgroup matrices; run the campaign with --precision f32`;
  return undefined;
}
