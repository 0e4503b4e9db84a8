/** What the statements of a TypeScript file declare and export. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { resolveRelative } from './source-imports';
import { readText, root } from './workspace';

export const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  !!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** What a statement declares at the top of a file. */
export function declaredNames(statement: ts.Statement): ts.Identifier[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name] : []));
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name ? [statement.name] : [];
}

export interface Export {
  readonly name: string;
  readonly isType: boolean;
}

/** What a file exports, through `export * from` too. */
export function exportsOf(file: string): Export[] {
  if (!existsSync(join(root, file))) return [];
  const source = ts.createSourceFile(file, readText(file), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement): Export[] => {
    if (ts.isExportDeclaration(statement)) return reexported(statement, file);
    if (!isExported(statement)) return [];
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    return declaredNames(statement).map(({ text }) => ({ name: text, isType }));
  });
}

function reexported({ exportClause, moduleSpecifier, isTypeOnly }: ts.ExportDeclaration, file: string): Export[] {
  if (exportClause && ts.isNamedExports(exportClause))
    return exportClause.elements.map((element) => ({
      name: element.name.text,
      isType: isTypeOnly || element.isTypeOnly,
    }));
  if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return [];
  const target = resolveRelative(file, moduleSpecifier.text);
  return target ? exportsOf(target) : [];
}
