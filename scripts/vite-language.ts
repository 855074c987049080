/**
 * Lingui in the build: its macros (`<Trans>`, t, plural, msg) become calls of the runtime, and a `.po` catalog becomes a
 * module of compiled messages. Contract: a message carries its English text compiled, so that English needs no catalog
 * and the page no parser; files without macros are not touched. For Vite and for Vitest alike.
 */
import { readFile } from 'node:fs/promises';
import { type PluginObj, transformAsync, types } from '@babel/core';
import macro from '@lingui/babel-plugin-lingui-macro';
import { compileMessageOrThrow } from '@lingui/message-utils/compileMessage';
import { formatter } from '@lingui/format-po';
import type { Plugin } from 'vite';
import config from '../lingui.config.ts';

/** The compiled form where there is something to fill in, else the text itself. */
const compiled = (message: string) =>
  /[{}']/.test(message) ? compileMessageOrThrow(message) : message;

/** `message: "..."` of what the macros have written, compiled. */
const compileMessages: PluginObj = {
  name: 'compile-messages',
  visitor: {
    Program: {
      exit(program) {
        program.traverse({
          ObjectProperty({ node }) {
            const { key, value } = node;
            if (!types.isIdentifier(key, { name: 'message' })) return;
            if (!node.leadingComments && !types.isStringLiteral(value)) return;
            if (types.isStringLiteral(value)) node.value = types.valueToNode(compiled(value.value));
          },
          JSXAttribute({ node, parent }) {
            if (node.name.name !== 'message' || !types.isStringLiteral(node.value)) return;
            const element = types.isJSXOpeningElement(parent) ? parent.name : null;
            if (!types.isJSXIdentifier(element) || !element.name.startsWith('_Trans')) return;
            node.value = types.jsxExpressionContainer(
              types.valueToNode(compiled(node.value.value)),
            );
          },
        });
      },
    },
  },
};

export function language(): Plugin {
  const po = formatter();
  return {
    name: 'gspo-lab-language',
    enforce: 'pre',
    transform: {
      filter: { id: /\.tsx?$/, code: /@lingui\/(core|react)\/macro/ },
      async handler(code, id) {
        const result = await transformAsync(code, {
          filename: id,
          configFile: false,
          babelrc: false,
          sourceMaps: true,
          retainLines: true,
          parserOpts: { plugins: ['typescript', 'jsx'] },
          plugins: [[macro, { linguiConfig: config, stripMessageField: false }], compileMessages],
        });
        return result?.code ? { code: result.code, map: result.map ?? null } : null;
      },
    },
    load: {
      filter: { id: /\.po$/ },
      async handler(id) {
        const catalog = await po.parse(await readFile(id, 'utf8'), {
          locale: null,
          sourceLocale: 'en',
          filename: id,
        });
        const messages = Object.fromEntries(
          Object.entries(catalog)
            .filter(([, { translation, obsolete }]) => translation && !obsolete)
            .map(([key, { translation = '' }]) => [key, compiled(translation)]),
        );
        return `export const messages = JSON.parse(${JSON.stringify(JSON.stringify(messages))});`;
      },
    },
  };
}
