// What the YAML parser complains about, in plain words with a remedy.

import type { YAMLError } from 'yaml'

interface Words {
  readonly message: string
  readonly remedy: string
}

const WORDS: Partial<Record<YAMLError['code'], Words>> = {
  RESOURCE_EXHAUSTION: {
    message: 'values are nested too deep to be read',
    remedy: 'nothing in a deployment nests that deep; look for brackets that do not belong',
  },
  TAB_AS_INDENT: { message: 'a tab is used as indentation', remedy: 'indent with spaces' },
  BAD_INDENT: {
    message: 'this line is not indented like the ones it belongs to',
    remedy: 'give lines of one mapping or list the same indentation',
  },
  MISSING_CHAR: {
    message: 'a closing or separating sign is missing',
    remedy: 'close the quote or bracket, and put `: ` after a key',
  },
  UNEXPECTED_TOKEN: {
    message: 'this does not belong here',
    remedy: 'look for a sign too many here, or a quote or bracket that is open above',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key runs over more than one line',
    remedy: 'put the key and its `:` on one line; is a `:` missing?',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping stands where a single value belongs',
    remedy: 'put quotes around a text that contains `: `',
  },
  BLOCK_IN_FLOW: {
    message: 'indented lines stand inside brackets',
    remedy: 'close the bracket, or write all of it inside the brackets',
  },
  BAD_SCALAR_START: { message: 'a plain text may not start with this sign', remedy: 'put quotes around the text' },
  BAD_DQ_ESCAPE: {
    message: 'this backslash sequence is not known in double quotes',
    remedy: 'double the backslash, or use single quotes',
  },
  BAD_ALIAS: {
    message: 'this alias or anchor has no valid name',
    remedy: 'put quotes around a text that starts with * or &',
  },
  KEY_OVER_1024_CHARS: {
    message: 'a key is longer than 1024 characters',
    remedy: 'look for a quote that is not closed',
  },
  MULTIPLE_ANCHORS: { message: 'a value has more than one anchor', remedy: 'keep one' },
  MULTIPLE_TAGS: { message: 'a value has more than one tag', remedy: 'take the tags away' },
  MULTIPLE_DOCS: { message: 'this file holds more than one YAML document', remedy: 'keep one document' },
  BAD_DIRECTIVE: { message: 'this line starting with % is not known', remedy: 'take it away' },
  TAG_RESOLVE_FAILED: { message: 'this value does not fit its tag', remedy: 'take the tag away' },
  BAD_COLLECTION_TYPE: { message: 'this value does not fit its tag', remedy: 'take the tag away' },
}

/** The parser's own message follows in brackets where the plain words leave out what it knows. */
export function plainWords(error: YAMLError): Words {
  const detail = (error.message.split('\n')[0] ?? '').trim().replace(/\.$/, '')
  const closing = /end with a ([\]}])/.exec(detail)?.[1]
  const words = closing === undefined ? WORDS[error.code] : unclosed(closing)
  if (words === undefined) return { message: `this is not valid YAML: ${detail}`, remedy: 'write it as YAML 1.2' }
  return { message: `${words.message} (${detail})`, remedy: words.remedy }
}

function unclosed(closing: string): Words {
  const opening = closing === ']' ? '[' : '{'
  return { message: `a ${opening} above is not closed`, remedy: `write the ${closing} that belongs to it` }
}
