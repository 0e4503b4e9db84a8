/**
 * One dialect in every package, so that whoever knows one room knows all of them: CONTRIBUTING.md, "Dialect", states the rules for people.
 * What is looked at is syntax alone, file by file; lengths, file names and kinds of declaration are the linter's.
 */
import ts from 'typescript';
import { declaredNames, isExported } from './declarations';
import { sourceFiles } from './source-imports';
import { readText, workspaces } from './workspace';

/** Names that keep their American spelling: torchvision's transforms, matplotlib's colormaps, the optimizer of every checkpoint, the initializers of ONNX. */
const OFFICIAL_NAMES = /colorJitter|colormap|grayscale|solarize|optimizer|initializer/gi;
const AMERICAN =
  /(?<![sS])(?:iz(?:e|es|ed|er|ing|ation)|IZ(?:E|ED|ER|ING|ATION))(?![a-z])|colou?rize|[cC]olor|COLOR|[gG]ray|[nN]eighbor|[bB]ehavior/;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const UPPER_CASE = /^[A-Z][A-Z0-9_]*$/;
/** What an error message may begin with although it is a capitalised word. */
const PROPER_NAMES = /^(Matryoshka|Node) /;

/** Every source file but tests. Examples and benchmarks are programs to be read by themselves, and are not looked at. */
export async function checkConventions(): Promise<string[]> {
  const folders = workspaces().map(({ folder }) => `${folder}/src`);
  const published = folders.filter((folder) => /^(packages|apps)\//.test(folder));
  return [...published, 'scripts', 'test/support']
    .flatMap(sourceFiles)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => conventionProblems(file, readText(file)));
}

type Report = (node: ts.Node, problem: string) => void;

/** What is wrong with one file, a line each. */
export function conventionProblems(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const name = file.slice(file.lastIndexOf('/') + 1);
  const problems: string[] = [];
  const report: Report = (node, problem) => {
    const { line } = source.getLineAndCharacterOfPosition(node === source ? 0 : node.getStart());
    problems.push(`${file}:${line + 1}: ${problem}`);
  };
  if (/^error\.ts$|-errors?\.ts$/.test(name)) report(source, 'the file of errors is named errors.ts');
  if (name !== 'index.ts' && headerOf(text) === undefined)
    report(source, 'the file does not open with a header that says what it is');
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) checkConstants(statement, report);
    if (ts.isTypeAliasDeclaration(statement)) checkCodes(statement, report);
    if (ts.isClassDeclaration(statement) && !/^errors\.(ts|mjs)$/.test(name)) checkErrorClass(statement, report);
    checkSpelling(statement, report);
  }
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) || ts.isCallExpression(node)) checkMessage(node, report);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** The comment that a file opens with, as running text, or undefined. */
export function headerOf(text: string): string | undefined {
  const header = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  return header?.replace(/^[ \t]*\* ?/gm, '').trim();
}

/** Values at the top of a file are UPPER_CASE: numbers, texts, patterns, lists, and records of such; functions, what calls make, and lists that are filled later are not. */
function checkConstants({ declarationList }: ts.VariableStatement, report: Report): void {
  if (!(declarationList.flags & ts.NodeFlags.Const)) return;
  for (const { name, initializer } of declarationList.declarations) {
    if (!ts.isIdentifier(name) || !initializer) continue;
    if (isPlain(initializer) && !UPPER_CASE.test(name.text))
      report(name, `the constant ${name.text} is written in UPPER_CASE`);
    if (ts.isArrowFunction(initializer) && UPPER_CASE.test(name.text))
      report(name, `${name.text} is a function, not a constant`);
  }
}

function isPlain(value: ts.Expression): boolean {
  if (ts.isAsExpression(value) || ts.isSatisfiesExpression(value) || ts.isParenthesizedExpression(value))
    return isPlain(value.expression);
  if (ts.isPrefixUnaryExpression(value)) return isPlain(value.operand);
  if (ts.isBinaryExpression(value)) return isPlain(value.left) && isPlain(value.right);
  if (ts.isNewExpression(value))
    return /^(Set|Map|\w+Array)$/.test(value.expression.getText()) && !!value.arguments?.length;
  if (ts.isArrayLiteralExpression(value)) return value.elements.length > 0;
  if (ts.isObjectLiteralExpression(value))
    return value.properties.length > 0 && value.properties.every(isPlainProperty);
  return ts.isLiteralExpression(value);
}

const isPlainProperty = (property: ts.ObjectLiteralElementLike): boolean =>
  ts.isPropertyAssignment(property) && isPlain(property.initializer);

/** `type VitErrorCode = 'config' | 'image-size'`. */
function checkCodes({ name, type }: ts.TypeAliasDeclaration, report: Report): void {
  if (!name.text.endsWith('ErrorCode')) return;
  for (const member of ts.isUnionTypeNode(type) ? type.types : [type]) {
    if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) continue;
    if (!KEBAB_CASE.test(member.literal.text))
      report(member, `the error code '${member.literal.text}' is written in kebab-case`);
  }
}

function checkErrorClass(
  { name, heritageClauses = ts.factory.createNodeArray() }: ts.ClassDeclaration,
  report: Report,
): void {
  const parents = heritageClauses.flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
  if (name && parents.some((parent) => parent.endsWith('Error'))) report(name, `${name.text} is declared in errors.ts`);
}

/** `new VitError('config', message)`, `opError('shape', 'matmul', message)`: the last text is what people read. */
function checkMessage(
  { expression, arguments: args = ts.factory.createNodeArray() }: ts.NewExpression | ts.CallExpression,
  report: Report,
): void {
  if (!/^\w*Error$/.test(expression.getText())) return;
  const message = args.map(textOf).findLast((text) => text !== undefined);
  if (!message) return;
  const refuse = (rule: string) =>
    report(expression, `an error message ${rule}: ${message.replace(/\s+/g, ' ').slice(0, 80)}`);
  if (/^[A-Z][a-z]+ /.test(message) && !PROPER_NAMES.test(message)) refuse('begins in lower case');
  if (/[^.]\.$/.test(message)) refuse('ends without a full stop');
  if (/(?<!\.|e\.g|i\.e)\. [A-Z`$]/.test(message)) refuse('joins its clauses by a semicolon');
}

/** A literal text, with `$` where a value is put in; undefined for anything else. */
function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `$${literal.text}`).join('');
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return (textOf(node.left) ?? '$') + (textOf(node.right) ?? '$');
  return undefined;
}

/** Names that others import. */
function checkSpelling(statement: ts.Statement, report: Report): void {
  if (!isExported(statement)) return;
  for (const name of declaredNames(statement)) {
    if (AMERICAN.test(name.text.replace(OFFICIAL_NAMES, '')))
      report(name, `${name.text}: names are spelt in British English unless official`);
  }
}
