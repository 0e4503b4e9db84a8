/** The configuration reference, from the schema: every setting with default, allowed values and meaning. */
import { z } from 'zod';
import { configSchema, defaultConfig } from './load';
import { asTree, isTree, leaves, type Tree, valueAt } from './tree';

interface JsonSchema {
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** One Markdown table per section. */
export function configReference(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
  const sections = Object.keys(defaultConfig).flatMap((section) => subsections([section], asTree(defaultConfig)));
  return sections
    .map((path) => {
      const rows = leavesOf(path).map(
        ([key, value]): Row => ({
          key: path[0] === 'compute_precision' ? key.replace(/^\w+\.\w+\./, '<network>.<part>.') : key,
          value: `\`${JSON.stringify(value)}\``,
          meaning: meaning(schemaAt(schema, [...path, ...key.split('.')])),
        }),
      );
      return [
        `**\`${path.join('.')}\`**`,
        '',
        '| key | default | meaning |',
        '|---|---|---|',
        ...withoutRepeats(rows),
      ].join('\n');
    })
    .join('\n\n');
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly meaning: string;
}

/** Lines of a table; rows of one key, such as the six parts of `compute_precision`, share a line. */
function withoutRepeats(rows: readonly Row[]): string[] {
  return [...new Set(rows.map(({ key }) => key))].map((key) => {
    const same = rows.filter((row) => row.key === key);
    const values = [...new Set(same.map(({ value }) => value))];
    return `| \`${key}\` | ${values.join(' or ')} | ${same[0]!.meaning} |`;
  });
}

/** Sections that get a table of their own: `franca` and its parts apart, the nested precision settings in one. */
function subsections(path: string[], tree: Tree): string[][] {
  if (path[0] !== 'franca') return [path];
  const own = valueAt(tree, path) as Tree;
  return [path, ...Object.keys(own).flatMap((key) => (isTree(own[key]) ? [[...path, key]] : []))];
}

function leavesOf(path: readonly string[]): [string, unknown][] {
  const own = valueAt(asTree(defaultConfig), path) as Tree;
  const plain =
    path.length === 1 && path[0] === 'franca'
      ? Object.fromEntries(Object.entries(own).filter(([, v]) => !isTree(v)))
      : own;
  return leaves(plain);
}

const schemaAt = (schema: JsonSchema | undefined, path: readonly string[]): JsonSchema | undefined =>
  path.reduce<JsonSchema | undefined>((at, key) => at?.properties?.[key], schema);

function meaning(schema: JsonSchema | undefined): string {
  const allowed = schema?.enum?.map((value) => `\`${value}\``).join(', ');
  const text = (schema?.description ?? '').replaceAll('|', '\\|');
  return [text, allowed && `(${allowed})`].filter(Boolean).join(' ');
}
