/**
 * From the options of a command to a run: adapter, folder, configuration, what it goes on from, data, starting weights. What `pretrain` and `highres` share.
 * Everything that can refuse is asked before anything is written. Each of several ranks does the same; what it could fail in alone is done together, and where the
 * world may have changed in between (folder, data, kernels) what rank 0 found is taken by all.
 */

import type { Communicator } from '@franca/collective';
import { worldOptions } from '@franca/data';
import type { Gpu } from '@franca/tensor';
import { thisHost } from '@franca/tensor/node';
import { derive } from '../config/derive';
import type { DerivedOptions, Machine } from '../config/derived-options';
import { loadConfig, type ResolvedConfig } from '../config/load';
import { asTree } from '../config/tree';
import { lastScreen } from '../observe/last-screen';
import { createProgress, type Progress, quietProgress } from '../observe/progress';
import type { TrainCommandOptions } from '../options/train-options';
import { explainMisfit } from '../plan/fitting-batch';
import { shellAbove } from '../ranks/launched-command';
import { openOwnAdapter } from '../ranks/own-adapter';
import { rankName } from '../ranks/rank-name';
import { together } from '../ranks/together';
import { withRanks } from '../ranks/with-ranks';
import { otherAdapter, unusedCard } from './adapter-notes';
import {
  checkUsage,
  configure,
  dataOf,
  outputOf,
  ownConfig,
  recordedConfig,
  takesDefault,
  vainNotes,
} from './choose-config';
import { chooseSharedData, type DataChoice } from './choose-data';
import { refuseFrozenChance, startOf, withWeights } from './choose-start';
import { forkData, resumeData } from './compare-data';
import { checkFork, checkResume } from './compare-settings';
import { compareTeachers, teacherNotes } from './compare-teachers';
import { type Continuation, continuationOf, openParent } from './continuation';
import { type DataRecord, recordData } from './data-record';
import { type DistillationTeacher, recordTeacher, teacherOf } from './distillation-teacher';
import { fitOnAll } from './fit-on-all';
import { checkPrecision } from './precision';
import { placesOf, rankNotes, ranksBefore } from './rank-notes';
import { type RunFolder, refuseAmongPictures } from './run-folder';
import { sameOnAll } from './same-on-all';
import type { TeacherRecord } from './saved-state';
import { openSharedFolder } from './shared-folder';
import { machineOf } from './sound-halves';
import { openPretrained, type PretrainedFile } from './starting-weights';
import { type Origin, type TrainRequest, train } from './train';
import { shareTuning, takeTuning } from './tuning-record';
import { warming, warmingQuietly } from './warming';

/** What distinguishes the commands: the preset where none is given. */
export interface RunKind {
  readonly defaultConfig: (gpu: Gpu, isEasyWorld: boolean) => string;
}

/** Runs training as the options say, on all ranks that a launcher started. */
export const startRun = (overrides: readonly string[], options: TrainCommandOptions, kind: RunKind): Promise<void> =>
  withRanks((ranks, ending) => runOn({ ranks, ending }, { overrides, options, kind }));

/** What was asked for. */
interface Asked {
  readonly overrides: readonly string[];
  readonly options: TrainCommandOptions;
  readonly kind: RunKind;
}

/** What all stages work with. */
interface Stage extends Asked {
  readonly ranks: Communicator;
  readonly gpu: Gpu;
  readonly folder: RunFolder;
  readonly progress: Progress;
  /** Says something that is also for the record. */
  readonly note: (text: string) => void;
}

async function runOn({ ranks, ending }: Pick<TrainRequest, 'ranks' | 'ending'>, asked: Asked): Promise<void> {
  const { overrides } = asked;
  const progress = ranks.rank === 0 ? createProgress() : quietProgress(rankName(ranks, ranks.rank));
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
    progress.message(text);
  };
  await together(ranks, () => checkUsage(asked.options));
  const own = await openOwnAdapter(ranks, asked.options.adapter);
  await using gpu = own.gpu;
  const options = { ...asked.options, ...(own.adapter ? { adapter: own.adapter } : {}) };
  for (const text of [...ranks.notes, ...own.notes]) note(text);
  const out = await together(ranks, () => outputOf(overrides, options));
  await using folder = await openSharedFolder(ranks, out, options.resume ?? 'never');
  const stage: Stage = { ...asked, options, ranks, gpu, folder, progress, note };
  const settled = await together(ranks, () => settle(stage));
  for (const text of await shareTuning(ranks, gpu)) note(text);
  const data = await chooseSharedData(ranks, settled.spec, settled.derived, progress.message);
  let composed: Composed | undefined;
  try {
    composed = await together(ranks, () => compose(stage, settled, data));
    const { derived, machine, resolved, origin, pretrained, record, teacher } = composed;
    const kept = origin && !origin.isFork && ranksBefore(origin) === ranks.size ? origin.saved.made?.memory : undefined;
    const place = { target: gpu.target, machine, memoryLimit: gpu.memoryLimit };
    const explain = (error: unknown) => explainMisfit(error, resolved.config, place);
    const fitted = await fitOnAll(ranks, derived, { target: gpu.target, kept, explain });
    note(fitted.note);
    const from = origin ? origin.config.student.pretrained_weights : settled.from;
    const sources = { spec: data.spec, from, gpus: derived.gpus, teacher: teacher?.file };
    const config = asTree(recordedConfig(resolved.config, sources));
    const made = {
      config,
      precision: derived.precision,
      memory: fitted.choice,
      data: record,
      ranks: ranks.size,
      ...(teacher ? { teacher } : {}),
    };
    const facts = { made, from: origin?.checkpoint.step ?? 0, adapter: gpu.target.name };
    const { outcome } = await train({
      ranks,
      ending,
      gpu,
      options: fitted.options,
      chunks: fitted.chunks,
      made,
      data: data.splits,
      folder,
      adapters: await sameOnAll(ranks, facts),
      notes,
      progress,
      warming: warmingOf(ranks),
      ...(origin ? { origin } : {}),
      ...(pretrained ? { pretrained: pretrained.weights } : {}),
      ...(options.stopAfter === undefined ? {} : { stopAfter: options.stopAfter }),
      ...(options.profile ? { profile: true } : {}),
    }).catch((error) => Promise.reject(explain(error)));
    if (outcome) console.log(lastScreen(out, outcome));
  } finally {
    await composed?.pretrained?.[Symbol.asyncDispose]();
    await data.splits.close();
  }
}

/** What is known before the data are opened. */
interface Settled {
  readonly found: Continuation | undefined;
  readonly configured: ResolvedConfig;
  readonly machine: Machine;
  readonly derived: DerivedOptions;
  /** To distil. */
  readonly teacher: DistillationTeacher | undefined;
  /** Where data and starting weights are asked for. */
  readonly spec: string | undefined;
  readonly from: string | undefined;
}

async function settle({ ranks, gpu, folder, progress, note, overrides, options, kind }: Stage): Promise<Settled> {
  progress.message(`adapter: ${gpu.target.name}`);
  if (ranks.size > 1) {
    progress.message(placesOf(ranks));
    for (const text of shellAbove()) note(text);
  }
  for (const text of unusedCard(options.adapter ?? process.env.FRANCA_ADAPTER, gpu.target, thisHost())) note(text);
  const found = await findOrigin(folder, options, note);
  for (const text of await otherAdapter(found, gpu)) note(text);
  for (const text of found ? await takeTuning(found.run, gpu) : []) note(text);
  const chosen = configure(folder, found, overrides, options, () => kind.defaultConfig(gpu, false));
  const from = startOf(chosen.config, found, options);
  const starting = await withWeights(chosen, from, found, options);
  const { resolved: configured } = starting;
  const teacher = await teacherOf(configured.config);
  const machine = await machineOf(configured.config, gpu, { ...machineOptions({ ranks, options, note }), teacher });
  const derived = derive(configured.config, machine);
  for (const text of [
    ...checkSettings(folder, found, configured, machine),
    ...rankNotes(derived, found),
    ...vainNotes(configured, options),
  ])
    note(text);
  const slow = checkPrecision(derived, gpu.target);
  if (slow) note(`warning: ${slow}`);
  if (from === undefined && !found) refuseFrozenChance(derived);
  for (const text of starting.notesFor(derived)) note(text);
  return { found, configured, machine, derived, teacher, from, spec: dataOf(folder, found, derived, options) };
}

const machineOptions = ({ ranks, options, note }: Pick<Stage, 'ranks' | 'options' | 'note'>) => ({
  adapter: options.adapter,
  note,
  ranks,
  warming: warmingOf(ranks),
});

const warmingOf = ({ rank }: Communicator) => (rank === 0 ? warming : warmingQuietly);

/** What is known once they are. */
interface Composed {
  readonly resolved: ResolvedConfig;
  readonly machine: Machine;
  readonly derived: DerivedOptions;
  readonly record: DataRecord;
  readonly origin: Origin | undefined;
  readonly pretrained: PretrainedFile | undefined;
  readonly teacher: TeacherRecord | undefined;
}

async function compose(stage: Stage, settled: Settled, { spec, splits, notes }: DataChoice): Promise<Composed> {
  const { gpu, folder, overrides, options, kind, note } = stage;
  const { found, from, teacher } = settled;
  // what suits a drawn world does not suit photographs, and which of them it is was not known before
  const suited = isEasyWorld(spec) && from === undefined && takesDefault(folder, found, options);
  const resolved = suited ? loadConfig([kind.defaultConfig(gpu, true)], overrides) : settled.configured;
  const machine = suited
    ? await machineOf(resolved.config, gpu, { ...machineOptions(stage), teacher })
    : settled.machine;
  const derived = suited ? derive(resolved.config, machine) : settled.derived;
  for (const text of notes) note(text);
  await refuseAmongPictures(folder.path, splits.train.folder);
  const record = recordData(spec, splits);
  const frozen = teacher && (await recordTeacher(teacher));
  const texts = [
    ...(found ? compareTeachers(found, frozen) : []),
    ...(frozen ? teacherNotes(teacher, frozen, derived.vit) : []),
  ];
  for (const text of texts) note(text);
  const origin = found && goOn(found, derived, { spec, splits, record }, note);
  if (from && found) note(`${from} is not used: the weights are those of the checkpoint`);
  const pretrained = from && !found ? await openPretrained(from, derived) : undefined;
  return { resolved, machine, derived, record, origin, pretrained, teacher: frozen };
}

async function findOrigin(
  { path, checkpoint, rejected }: RunFolder,
  { fork, at }: TrainCommandOptions,
  note: (text: string) => void,
): Promise<Continuation | undefined> {
  const parent = fork === undefined ? undefined : await openParent(fork, at);
  for (const text of [...rejected, ...(parent?.rejected ?? [])]) note(`warning: ${text}`);
  return parent?.origin ?? (checkpoint && continuationOf(checkpoint, path, false));
}

const isEasyWorld = (spec: string): boolean =>
  /^world:/.test(spec) && worldOptions(spec.slice('world:'.length), 'train').grade === 'easy';

function checkSettings(
  { path, checkpoint }: RunFolder,
  origin: Continuation | undefined,
  resolved: ResolvedConfig,
  machine: Machine,
): string[] {
  if (!origin) return [];
  if (origin.isFork) {
    const notes = checkFork(origin, resolved.config, machine);
    return [`forks ${origin.run} after step ${origin.checkpoint.step}`, ...notes];
  }
  checkResume(origin, resolved, { machine, own: ownConfig(path) });
  return checkpoint ? [`resuming ${path} after step ${checkpoint.step}`] : [];
}

function goOn(
  found: Continuation,
  derived: DerivedOptions,
  now: Parameters<typeof resumeData>[2],
  note: (text: string) => void,
): Origin {
  const { cursor, notes } = (found.isFork ? forkData : resumeData)(found, derived, now);
  for (const text of notes) note(text);
  return { ...found, cursor };
}
