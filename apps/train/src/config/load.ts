/**
 * From files and command line to a checked configuration. Layers are merged in order, later ones win: the defaults, files or presets, overrides. The
 * result remembers which layer each value came from.
 */
import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { TrainError } from '../errors';
import { francaSection } from './franca-section';
import { interpolate } from './interpolate';
import { nearestOf, suggestion } from './misspelt';
import { officialSections } from './official';
import { parseOverrides } from './overrides';
import { listPresets, presetNamed } from './presets';
import type { TrainConfig } from './train-config';
import { asTree, isTree, leaves, merge, type Tree, valueAt } from './tree';

/** One source of settings. */
export interface Layer {
  /** What a person calls it: `presets/cpu-tiny.yaml`, `command line`. */
  readonly source: string;
  readonly settings: Tree;
}

export interface ResolvedConfig {
  readonly config: TrainConfig;
  /** Where each value comes from, by dotted path; absent: the default. */
  readonly sources: ReadonlyMap<string, string>;
}

/** The source of overrides. */
export const COMMAND_LINE = 'command line';

/** The whole configuration: the official sections and `franca:`. Strict: an unknown key is an error. */
export const configSchema: z.ZodType<TrainConfig> = z.strictObject({ ...officialSections, franca: francaSection });

/** The complete default configuration. */
export const defaultConfig: TrainConfig = configSchema.parse({});

/**
 * Reads configuration files or presets by name, lays them on `base` and overrides on top, and checks the result.
 * @throws TrainError `config` for anything that is not a valid setting, naming key, value and source; `file` for a file that cannot be read
 */
export const loadConfig = (
  files: readonly string[],
  overrides: readonly string[] = [],
  base: readonly Layer[] = [],
): ResolvedConfig =>
  resolveConfig([
    ...base,
    ...files.map(readLayer),
    ...(overrides.length > 0 ? [{ source: COMMAND_LINE, settings: parseOverrides(overrides) }] : []),
  ]);

/** Merges and checks layers. @throws TrainError `config` */
export function resolveConfig(layers: readonly Layer[]): ResolvedConfig {
  const written = layers.reduce<Tree>((tree, { settings }) => merge(tree, settings), {});
  const merged = interpolate(written, asTree(defaultConfig), (path) => sourceOf(layers, path));
  const result = configSchema.safeParse(merged);
  if (!result.success)
    throw new TrainError('config', result.error.issues.flatMap((issue) => explain(issue, merged, layers)).join('\n'));
  const sources = new Map<string, string>();
  for (const { source, settings } of layers) for (const [path] of leaves(settings)) sources.set(path, source);
  return { config: result.data, sources };
}

const MAX_FILE_BYTES = 2 ** 20;

/** Reads a YAML file, or a preset by its name. @throws TrainError `file`, `config` */
function readLayer(nameOrPath: string): Layer {
  const path = presetNamed(nameOrPath) ?? nameOrPath;
  const source = nameOrPath;
  let content: string;
  try {
    const facts = statSync(path);
    if (!facts.isFile()) throw new TrainError('file', `configuration ${path} is no file; give a YAML file or a preset`);
    if (facts.size > MAX_FILE_BYTES) throw new TrainError('file', `${path} is too large for a configuration`);
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof TrainError) throw error;
    throw new TrainError('file', unreadable(path, error as NodeJS.ErrnoException), { cause: error });
  }
  return { source, settings: parseConfig(content, source) };
}

function unreadable(path: string, error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') return `configuration ${path}: ${error.message}`;
  const names = listPresets().map(({ name }) => name);
  const near = nearestOf(path, names);
  return `configuration ${path} does not exist; give a YAML file or a preset: ${near ? `did you mean ${near}?` : names.join(', ')}`;
}

/** Parses the YAML text of a configuration. @throws TrainError `config` with line and column */
export function parseConfig(content: string, source: string): Tree {
  const document = parseDocument(content, { lineCounter: new LineCounter(), merge: true });
  const [problem] = document.errors;
  if (problem) throw new TrainError('config', `${source}: ${problem.message.trimEnd()}`);
  const tree: unknown = document.toJS();
  if (tree === null || tree === undefined) return {};
  if (!isTree(tree))
    throw new TrainError(
      'config',
      `${source}: expected sections with keys, found ${JSON.stringify(tree).slice(0, 60)}`,
    );
  return tree;
}

/** Which layer a value comes from. */
const sourceOf = (layers: readonly Layer[], path: readonly string[]): string =>
  layers.findLast(({ settings }) => valueAt(settings, path) !== undefined)?.source ?? 'configuration';

function explain(issue: z.core.$ZodIssue, merged: Tree, layers: readonly Layer[]): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const name = [...path, key].join('.');
      return `${sourceOf(layers, [...path, key])}: there is no setting "${name}"; ${suggestion(asTree(defaultConfig), path, key)}`;
    });
  const value = valueAt(merged, path);
  return [`${sourceOf(layers, path)}: ${path.join('.')} is ${shown(value)}: ${reasonOf(issue)}`];
}

const shown = (value: unknown): string => (isTree(value) ? 'a section' : JSON.stringify(value)) ?? 'missing';

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    return issue.message.startsWith('Invalid') ? `expected one of ${allowed.join(', ')}` : issue.message;
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid'))
    return issue.expected === 'object' ? 'expected a section with keys' : `expected ${issue.expected}`;
  return issue.message;
}
