/**
 * A configuration for weights to start from. What they are (width, depth, patch size, feed-forward layer, heads that go over) is set as they are, whatever a preset says;
 * somebody's own setting that says otherwise is refused. What only suits them (crops in whole patches, no frozen backbone where heads are trained) gives way to own settings.
 */
import type { HeadConfig } from '@franca/matryoshka-heads';
import { type VitConfig, type VitSize, vitConfig } from '@franca/vit';
import { deriveHeads } from '../config/derive-heads';
import { type ResolvedConfig, resolveConfig } from '../config/load';
import { presetNamed } from '../config/presets';
import type { Arch, TrainConfig } from '../config/train-config';
import { asTree, type Leaf, leaves, treeOf, valueAt } from '../config/tree';
import { TrainError } from '../errors';
import type { CarriedHeads, StartingModel } from './starting-weights';

type Settings = readonly (readonly [key: string, value: Leaf])[];

/** @returns what was suited to the weights, in words, too @throws TrainError `config` where own settings contradict the weights; `file` for heads that no run can have */
export function settingsOfWeights(
  resolved: ResolvedConfig,
  model: StartingModel,
): { readonly resolved: ResolvedConfig; readonly notes: readonly string[] } {
  const { config, sources } = resolved;
  const isOwn = (key: string): boolean => sources.has(key) && presetNamed(sources.get(key)!) === undefined;
  const differs = ([key, value]: Settings[number]) =>
    JSON.stringify(valueAt(asTree(config), key.split('.'))) !== JSON.stringify(value);
  const fixed = [...ofModel(model.vit, config), ...(model.heads ? ofHeads(model.heads) : [])].filter(differs);
  const wrong = fixed.filter(([key]) => isOwn(key));
  if (wrong.length > 0) throw contradiction(wrong, resolved, model.file);
  const suited = suitedTo(model, config).filter((setting) => differs(setting) && !isOwn(setting[0]));
  const layers = [...fixed, ...suited].map(([key, value]) => ({
    source: model.file,
    settings: treeOf(key.split('.'), value),
  }));
  const now = resolveConfig([{ source: 'configuration', settings: asTree(config) }, ...layers]).config;
  if (model.heads) checkHeads(model.heads, now, model);
  const changed = layers.flatMap(({ source, settings }) => leaves(settings).map(([key]) => [key, source] as const));
  return {
    resolved: { config: now, sources: new Map([...sources, ...changed]) },
    notes: suited.map(([key, value]) => `${key} is ${JSON.stringify(value)}, to suit the weights`),
  };
}

function contradiction(wrong: Settings, { config, sources }: ResolvedConfig, file: string): TrainError {
  const said = wrong.map(([key, value]) => {
    const own = JSON.stringify(valueAt(asTree(config), key.split('.')));
    return `${key} is ${own} (${sources.get(key)}), and of ${file} it is ${JSON.stringify(value)}`;
  });
  return new TrainError('config', `${said.join('; ')}: leave it out, the architecture is that of the weights`);
}

function ofModel(vit: VitConfig, { student }: TrainConfig): Settings {
  const arch = ARCHS.find((name) => {
    const { embedDim, depth, numHeads } = vitConfig(sizeNamed(name));
    return embedDim === vit.embedDim && depth === vit.depth && numHeads === vit.numHeads;
  });
  const isScaled = vit.layerScale !== undefined;
  return [
    ...(arch ? ([['student.arch', arch]] as const) : []),
    ['student.patch_size', vit.patchSize],
    // the two names of SwiGLU mean one layer
    ...((vit.ffnLayer === 'mlp') === (student.ffn_layer === 'mlp')
      ? []
      : ([['student.ffn_layer', vit.ffnLayer]] as const)),
    // its value is of initial weights alone
    ...(isScaled === student.layerscale > 0 ? [] : ([['student.layerscale', vit.layerScale ?? 0]] as const)),
    ['student.num_register_tokens', vit.numRegisterTokens],
    ['franca.vit.embed_dim', vit.embedDim],
    ['franca.vit.depth', vit.depth],
    ['franca.vit.num_heads', vit.numHeads],
    ['franca.vit.mlp_ratio', vit.mlpRatio],
    ['franca.vit.activation', vit.activation ?? 'gelu'],
    ['franca.vit.norm_eps', vit.normEps ?? 1e-6],
    ['franca.vit.pre_norm', vit.preNorm ?? false],
    ['franca.vit.rope_theta', vit.ropeTheta ?? null],
  ];
}

const ARCHS: readonly Arch[] = ['vit_tiny', 'vit_small', 'vit_base', 'vit_large', 'vit_giant2'];
const sizeNamed = (arch: Arch): VitSize => arch.slice('vit_'.length) as VitSize;

function ofHeads({ dino, ibot }: CarriedHeads): Settings {
  const section = (name: string, { levels, layers, hiddenDim, bottleneckDim }: HeadConfig): Settings => [
    [`${name}.head_n_prototypes`, levels.at(-1)!.prototypes],
    [`${name}.head_nlayers`, layers],
    [`${name}.head_hidden_dim`, hiddenDim],
    [`${name}.head_bottleneck_dim`, bottleneckDim],
  ];
  const isNested = dino.kind === 'matryoshka';
  const nesting: Settings = [
    ['franca.nesting', dino.nesting],
    ['franca.nesting_list', dino.levels.map(({ width }) => width)],
  ];
  return [
    ['dino.MRL', isNested],
    ...section('dino', dino),
    ['ibot.separate_head', ibot !== undefined],
    ...(ibot ? section('ibot', ibot) : []),
    ...(isNested ? nesting : []),
    ['franca.small_batch', false],
  ];
}

/** What a preset cannot know. */
function suitedTo({ vit, heads }: StartingModel, { crops }: TrainConfig): Settings {
  const inPatches = (size: number) => Math.max(1, Math.round(size / vit.patchSize)) * vit.patchSize;
  return [
    ['student.interpolate_offset', vit.interpolateOffset],
    ['student.interpolate_antialias', vit.interpolateAntialias],
    ['crops.global_crops_size', inPatches(crops.global_crops_size)],
    ['crops.local_crops_size', inPatches(crops.local_crops_size)],
    ...(heads ? ([['franca.freeze_backbone_epochs', 0]] as const) : []),
  ];
}

/** @throws TrainError `file` where the heads of the configuration are not those of the weights */
function checkHeads(heads: CarriedHeads, config: TrainConfig, { file, vit }: StartingModel): void {
  const shape = (head: HeadConfig | undefined) => {
    if (!head) return undefined;
    const { initStd: _, nesting, ...rest } = head;
    return JSON.stringify(Object.entries(head.kind === 'matryoshka' ? { ...rest, nesting } : rest).sort());
  };
  const refuse = (why: string): never => {
    const way = 'franca.carry_heads=false starts with fresh ones';
    throw new TrainError('file', `the projection heads of ${file} are none that a run can have (${why}); ${way}`);
  };
  if (heads.dino.kind === 'matryoshka' && !heads.ibot) refuse('nested levels for CLS tokens, and no head for patches');
  if (heads.ibot && heads.ibot.kind !== heads.dino.kind) refuse('one is nested and the other is not');
  const { dino, ibot } = deriveHeads(config, vit.embedDim, Number.MAX_SAFE_INTEGER);
  if (shape(dino) !== shape(heads.dino)) refuse(`levels ${levelsOf(heads.dino)} of DINO`);
  if (shape(ibot) !== shape(heads.ibot)) refuse(`levels ${levelsOf(heads.ibot!)} of iBOT`);
}

const levelsOf = ({ levels }: HeadConfig): string =>
  levels.map(({ width, prototypes }) => `${width}: ${prototypes}`).join(', ');
