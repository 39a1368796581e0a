#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# man.py DIR: make the manual pages of sections 3 and 4, in DIR/man3 and DIR/man4.
# man.py --list: print their names, such as man3/gosync_mutex.3.
#
# Their source is the kernel-doc of the headers. In those of the library a line
# "DOC: PAGE - WHAT" begins a page, with the functions that follow; a DOC without
# a dash is a section of it. In <linux/gosync.h> lines such as "/* --- Mutex --- */"
# begin the sections of gosync(4), and a description is of the ioctls whose numbers
# stand below it. The module's parameters are those of its source, and the examples
# are those of the documents.

import itertools
import os
import re
import sys
import textwrap

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
UAPI = 'uapi/linux/gosync.h'
HEADERS = ['libuser/gosync-user.h', 'libuser/gosync-atomic.h',
           'libuser/gosync-uring.h']


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as f:
        return f.read()


VERSION = re.search(r'^MODULE_VERSION\("(.*)"\);', read('kmod/main.c'), re.M)[1]


# --- the headers -----------------------------------------------------------

class Doc:
    """A kernel-doc comment, and the text up to the next one"""

    def __init__(self, comment, after):
        lines = [re.sub(r'^ \* ?', '', line)
                 for line in comment.strip('\n').split('\n')]
        self.after = after
        self.params = []        # [name, text]
        self.returns = ''
        # The title goes on until a parameter or an empty line.
        title = []
        while lines and lines[0] and not lines[0].startswith('@'):
            title.append(lines.pop(0).strip())
        self.title = ' '.join(title)
        while lines and lines[0].startswith('@'):
            name, text = re.match(r'@(\w+): *(.*)', lines.pop(0)).groups()
            while lines and lines[0].startswith('\t'):
                text += ' ' + lines.pop(0).strip()
            self.params.append([name, text])
        body = '\n'.join(lines).strip('\n')
        found = re.search(r'^(Return|res): ', body, re.M)
        if found:
            self.returns = ' '.join(body[found.end():].split())
            body = body[:found.start()]
        self.body = body

    def is_doc(self):
        return self.title.startswith('DOC: ')

    def name(self):
        """Of a function or structure, or the title of a DOC"""
        return re.sub(r'^DOC: ', '', re.split(r'(?:\(\))? - ', self.title)[0])

    def what(self):
        parts = self.title.split(' - ', 1)
        return parts[1] if len(parts) > 1 else ''

    def declaration(self):
        """What is declared below, up to its ; or its body"""
        text = re.sub(r'/\*.*?\*/', '', self.after, flags=re.S)
        if re.match(r'\s*(struct|enum) \w+ \{', text):
            return re.match(r'\s*(.*?\};)', text, re.S)[1]
        text = re.match(r'[^;{]*', text)[0]
        text = re.sub(r'\b(GOSYNC_INLINE|static inline)\b', '', text)
        return ' '.join(text.split())


def docs_of(text):
    """The kernel-doc comments of a text"""
    parts = re.split(r'^/\*\*\n(.*?)^ \*/\n', text, flags=re.M | re.S)
    return [Doc(comment, after)
            for comment, after in zip(parts[1::2], parts[2::2])]


# --- roff ------------------------------------------------------------------

def escape(text):
    return text.replace('\\', r'\e').replace('-', r'\-')


def code(text):
    """Text that is to be copied as it is"""
    for char, roff in ('\\', r'\e'), ('-', r'\-'), ("'", r'\(aq'), \
            ('`', r'\(ga'), ('^', r'\(ha'), ('~', r'\(ti'):
        text = text.replace(char, roff)
    return re.sub(r'^\.', r'\\&.', text, flags=re.M)


WORDS = re.compile(
    r'``(?P<literal>[^`]*)``'
    r'|&(?P<tag>(?:struct|enum) \w+)'
    r'|&(?P<member>\w+\.\w+)'
    r'|@(?P<param>\w+)'
    r'|(?P<call>[A-Za-z_](?:[\w:-]*\w)?)\((?P<section>\d?)\)'
    r'|(?P<const>-?\b(?:GOSYNC_\w+\w|[A-Z]+_[A-Z_]+|E[A-Z0-9]{2,})\b)'
    r'|(?<!\w)\*(?P<stress>\w+)\*'
    r'|(?P<header><[\w/.-]+\.h>)'
    r'|(?P<number>(?<![\w-])-(?:1|errno)\b)')


class Page:
    def __init__(self, name, section, what, manual):
        self.name, self.section, self.what = name, section, what
        self.names = []         # functions, in the order of the header
        self.lines = []
        self.others = set()     # what the page refers to: ('poll', '2')
        self.pages = {}         # the page of each function
        self.head = '.TH %s %s "" "gosync %s" "%s"' % (
            name.upper(), section, VERSION, manual)

    def put(self, *lines):
        self.lines += lines

    def markup(self, text):
        """A paragraph of kernel-doc, in roff"""
        def word(m):
            if m['literal'] is not None:
                return r'\fB%s\fP' % code(m['literal'])
            if m['tag'] or m['const'] or m['number']:
                return r'\fB%s\fP' % escape(m['tag'] or m['const'] or m['number'])
            if m['member'] or m['param'] or m['stress'] or m['header']:
                return r'\fI%s\fP' % escape(m['member'] or m['param'] or
                                            m['stress'] or m['header'])
            name, section = m['call'], m['section']
            if not section and name in self.pages:
                if self.pages[name] == self.name:
                    return r'\fB%s\fP()' % name
                self.others.add((self.pages[name], '3'))
                section = '3'
            elif section:
                self.others.add((name, section))
            return r'\fB%s\fP(%s)' % (escape(name), section)

        out, at = '', 0
        for m in WORDS.finditer(text):
            out += text[at:m.start()].replace('\\', r'\e') + word(m)
            at = m.end()
        out += text[at:].replace('\\', r'\e')
        # A line of roff for each sentence
        out = re.sub(r'([a-z)P0]\.) (?=[A-Z\\])', r'\1\n', out)
        return re.sub(r"^([.'])", r'\\&\1', out, flags=re.M)

    def paragraphs(self, body):
        """Text with lists, tables and pieces of code"""
        for part in re.split(r'\n\n+', body.strip('\n')):
            if part.startswith('==='):
                self.table(part.split('\n'))
            elif part.startswith('- '):
                for item in re.split(r'^- ', part, flags=re.M)[1:]:
                    self.list_item(' '.join(item.split()))
            elif part.startswith('\t'):
                self.example(part)
            elif part:
                self.put('.PP', self.markup(' '.join(part.split())))

    def list_item(self, text):
        """One that begins with prototypes is about these functions."""
        names = re.match(r'(?:``[^`]*``(?:, |: ))+', text)
        if not names:
            self.put(r'.IP \(bu 3', self.markup(text))
            return
        self.functions(re.findall(r'(\w+)\(', names[0]),
                       self.sentence(text[names.end():]))

    def functions(self, names, text):
        for i, name in enumerate(names):
            self.put('.TQ' if i else '.TP', r'\fB%s\fP()' % name)
        self.put(text)

    def table(self, lines):
        """Each row becomes a word and its description"""
        last = lines[0].rfind(' ') + 1
        # Above the second of three rules is a heading.
        heading = lines.count(lines[0]) == 3
        rows = []
        for line in lines:
            if line == lines[0]:
                continue
            first = ' '.join(line[:last].split())
            text = line[last:].strip()
            if rows and (not first or not text):
                rows[-1] = [' '.join(pair).strip()
                            for pair in zip(rows[-1], (first, text))]
            else:
                rows.append([first, text])
        for i, (first, text) in enumerate(rows):
            if heading and not i:
                self.item(r'\fI%s\fP' % first, r'\fI%s\fP' % self.markup(text))
            else:
                self.item(r'\fB%s\fP' % escape(first), self.markup(text))

    def item(self, word, text):
        self.put('.TP', word, text)

    def example(self, text):
        text = textwrap.dedent(text.strip('\n').expandtabs(8))
        self.put('.PP', '.nf', code(text), '.fi')

    def parameters(self, doc):
        params = [(name, text) for name, text in doc.params
                  if text != 'the handle' and not name.startswith('__')]
        for i, (name, text) in enumerate(params):
            self.item(r'\fI%s\fP' % name, self.sentence(text))
            if not i:
                self.put('.PD 0')
        if params:
            self.put('.PD')

    def sentence(self, text):
        if not re.match(r'\w+\(', text):
            text = text[0].upper() + text[1:]
        text = self.markup(text)
        return text if text.endswith('.') else text + '.'

    def see_also(self, *more):
        refs = {(name, section) for name, section in self.others | set(more)
                if (name, section) != (self.name, self.section)}
        refs = sorted(refs, key=lambda ref: (ref[1], ref[0]))
        self.put('.SH SEE ALSO')
        for name, section in refs:
            self.put('.BR %s (%s)%s' % (escape(name), section,
                     '' if (name, section) == refs[-1] else ','))

    def text(self):
        name = ', '.join(self.names if self.name in self.names else
                         [self.name] + self.names)
        text = '\n'.join([
            r'.\" Made by Documentation/man.py', self.head,
            # Names are not to be torn apart. groff 1.23 returns to these settings.
            '.ds AD l', '.nr HY 0', '.ad l', '.nh', '.SH NAME',
            r'%s \- %s' % (escape(name), self.markup(self.what))] +
            self.lines) + '\n'
        # A heading begins a paragraph.
        return re.sub(r'^(\.S[HS] .*\n)\.PP\n', r'\1', text, flags=re.M)


# --- section 3: the library ------------------------------------------------

def split_arguments(text):
    """At the commas that are in no parentheses"""
    depth, args = 0, ['']
    for char in text:
        depth += (char == '(') - (char == ')')
        if char == ',' and not depth:
            args.append('')
        else:
            args[-1] += char
    return [arg.strip() for arg in args]


def prototype(text):
    """Lines of roff, names of arguments in italics"""
    head, args = re.match(r'(.*?\w)\((.*)\)$', text).groups()
    args = split_arguments(args)
    args = [arg + ',' for arg in args[:-1]] + [args[-1] + ');']
    lines = []
    if head.startswith('struct '):
        returned, head = head.rsplit(' ', 1)
        lines.append(returned)
    line = head + '('
    indent = len(line)
    if indent + max(map(len, args)) > 72:
        lines.append(line)
        indent = 8
        line = indent * ' '
    for arg in args:
        if len(line) + len(arg) > 72:
            lines.append(line.rstrip())
            line = indent * ' '
        if indent + len(arg) > 72:
            # A callback with many arguments
            *more, arg = textwrap.wrap(arg, 72 - indent - 4)
            lines += [line + part for part in more]
            line += 4 * ' '
        line += arg + ' '
    lines.append(line.rstrip())
    names = {re.search(r'(\w+)(?:\)\(.*\))?[,);]*$', arg)[1] for arg in args}
    names.discard('void')
    pattern = r'\b(%s)(?=[,)])' % '|'.join(names or {'$'})
    # Only the arguments themselves, not those of a callback
    return [r'\fB%s\fP' % re.sub(pattern, r'\\fI\1\\fB', escape(line))
            for line in lines]


TYPES = ['Mutex', 'RWMutex', 'WaitGroup', 'Once', 'Cond', 'Semaphore', 'Map',
         'Value']
# How clauses in the table of errors begin, and the pages that they are for
CLAUSES = [('a try', ['mutex', 'rwmutex', 'semaphore']),
           ('unlock', ['mutex', 'rwmutex', 'cond']),
           ('unlink|change|break', ['object']),
           ('wait for all', ['wait']),
           ('io_uring', ['gosync-uring'])]


class Library:
    def __init__(self):
        self.pages = {}         # by name
        self.page_of = {}       # by function
        self.docs = {}          # by function
        self.content = {}       # of each page: Docs
        self.errors = {}        # what an error means
        page = None
        for header in HEADERS:
            for doc in docs_of(read(header)):
                if doc.is_doc() and ' - ' in doc.title:
                    page = Page(doc.name(), '3', doc.what(), 'gosync')
                    page.header = header.replace('atomic', 'user')
                    self.pages[page.name] = page
                    self.content[page.name] = []
                self.content[page.name].append(doc)
                if doc.title.startswith('gosync_'):
                    page.names.append(doc.name())
                    self.page_of[doc.name()] = page.name
                    self.docs[doc.name()] = doc
        self.words()
        for doc in docs_of(read(UAPI)):
            self.docs.setdefault(doc.name(), doc)
            for ioctl in ioctls_of(doc):
                self.docs.setdefault(ioctl[0], doc)
            if doc.name() == 'Errors':
                self.errors = dict(
                    (name, ' '.join(text.split())) for name, text in
                    re.findall(r'^(E\w+) +(.*(?:\n  .*)*)', doc.body, re.M))
        for page in self.pages.values():
            page.pages = self.page_of

    def words(self):
        """The functions of words are those of the library with a type for N."""
        page = 'gosync_atomic'
        generic = re.findall(r'``[^`]*?(gosync_\w+)\([^`]*``',
                             self.content[page][0].body)
        types = '|'.join(re.findall(r'^GOSYNC__BASE\(_(\w+),',
                                    read('libuser/gosync-atomic.h'), re.M))
        for name in re.findall(r'^\t(gosync_\w+);',
                               read('libuser/libgosync-user.map'), re.M):
            if re.sub(r'_(%s)(?=_|$)' % types, '_N', name) in generic and \
                    name not in generic:
                self.page_of[name] = page

    def links(self):
        """The functions with the page that each is on"""
        return {name: page for name, page in self.page_of.items()
                if name != page}

    def make(self):
        for page in self.pages.values():
            self.fill(page)
        return self.pages.values()

    def fill(self, page):
        docs = self.content[page.name]
        intro = docs[0]
        functions = [doc for doc in docs if not doc.is_doc() and
                     doc.title.startswith('gosync_')]
        page.put('.SH LIBRARY',
                 r'The library of gosync (\fIlibgosync\-user\fP,'
                 r' \fI\-lgosync\-user\fP)')
        if page.name == 'gosync-uring':
            page.put(r'and liburing (\fI\-luring\fP)')
        page.put('.br', 'Its flags:',
                 r'.B pkg\-config \-\-cflags \-\-libs gosync\-user')
        page.put('.SH SYNOPSIS', '.nf',
                 r'.B #include <%s>' % escape(os.path.basename(page.header)))
        protos = [doc.declaration() for doc in functions] + \
            re.findall(r'``((?:int|struct) [^`]*)``', intro.body)
        for proto in protos:
            page.put('.PP', *prototype(' '.join(proto.split())))
        page.put('.fi', '.SH DESCRIPTION')
        page.paragraphs(intro.body)
        if page.name == 'gosync-user':
            self.put_overview(page)
        for doc in functions:
            page.put(r'.SS %s()' % doc.name(), page.sentence(doc.what()))
            page.parameters(doc)
            page.paragraphs(doc.body)
        for doc in docs[1:]:
            if doc.is_doc():
                page.put('.SH %s' % doc.name().upper())
                page.paragraphs(doc.body)
            elif doc.title.startswith('struct '):
                page.put('.SS %s' % doc.name(), page.sentence(doc.what()))
                page.example(doc.declaration())
                page.parameters(doc)
                page.paragraphs(doc.body)
        self.put_returns(page, intro, functions)
        self.put_errors(page, docs)
        if page.name != 'gosync-user':
            page.put('.SH THREADS')
            page.paragraphs(next(doc.body for doc in self.content['gosync-user']
                                 if doc.name() == 'Threads'))
        self.put_examples(page)
        page.see_also(('gosync', '1'), ('gosync-user', '3'), ('gosync', '4'))

    def put_overview(self, page):
        page.put('.SS Pages')
        for other in self.pages.values():
            if other != page:
                page.item(r'\fB%s\fP(3)' % escape(other.name),
                          page.markup(other.what))
        page.put('.SS Flags')
        for comment, names in constants_of(read(UAPI)) + \
                constants_of(read(page.header)):
            if re.match('Flags of (GOSYNC_IOC_OPEN|the ioctls that wait|this)',
                        comment):
                put_constants(page, comment, [
                    (name, meaning) for name, meaning in names
                    if name in read(page.header)])

    def put_returns(self, page, intro, functions):
        if intro.returns or functions:
            page.put('.SH RETURN VALUE')
        if intro.returns:
            page.put(page.sentence(intro.returns))
        # Neighbours that return the same are told together.
        for text, docs in itertools.groupby(functions, lambda doc: doc.returns):
            if text:
                page.functions([doc.name() for doc in docs], page.sentence(text))

    def errors_of(self, doc, seen):
        """What is named, also by what the description refers to"""
        if doc.title in seen:
            return set()
        seen.add(doc.title)
        text = doc.returns or doc.body
        found = set(re.findall(r'\bE[A-Z0-9]{2,}\b', text)) & set(self.errors)
        for name in re.findall(r'\b(?:as|of) ((?:gosync|GOSYNC_IOC)_\w+)', text):
            if name in self.docs:
                found |= self.errors_of(self.docs[name], seen)
        return found

    def put_errors(self, page, docs):
        found = set()
        for doc in docs:
            found |= self.errors_of(doc, set())
        if not found or page.name == 'gosync-user':
            return
        page.put('.SH ERRORS', 'Functions return these with a minus sign.')
        kind = page.name.split('_')[-1]
        for error in sorted(found):
            text = self.errors[error].replace('the library: ', '')
            clauses = [clause for clause in text.split('; ')
                       if self.concerns(clause, kind)]
            page.item(r'\fB%s\fP' % error,
                      page.sentence('; '.join(clauses or [text])))

    def concerns(self, clause, kind):
        """A clause that begins with one of these is for no other page."""
        for words, kinds in CLAUSES:
            if re.match(words, clause):
                return kind in kinds
        about = re.match(r'(a \w+|[^:]*: )', clause)
        types = about and re.findall(r'\b(?:%s)\b' % '|'.join(TYPES), about[1])
        return not types or kind in [name.lower() for name in types]

    def put_examples(self, page):
        if page.name == 'gosync-user':
            page.put('.SH EXAMPLES')
            text = read('examples/hello.c')
            page.example(text[text.index('/*'):])
            return
        own = 'Documentation/%s.md' % page.name.split('_')[-1]
        found = []
        if os.path.exists(os.path.join(TOP, own)):
            found = fragments(own)
        found = found or [(name, text) for name, text in
                          fragments('Documentation/async.md')
                          if any(f + '(' in text for f in page.names)]
        for i, (name, text) in enumerate(found):
            if not i:
                page.put('.SH EXAMPLES')
            page.put('.PP', 'From the example', r'.IR %s :' % name)
            page.example(text)


def fragments(document):
    return re.findall(r'^<!-- (\w+\.c) -->\n```c\n(.*?)^```$', read(document),
                      re.M | re.S)


# --- section 4: the device -------------------------------------------------

def ioctls_of(doc):
    """Those whose numbers stand below a description that speaks of them"""
    found = []
    for name, where in re.findall(
            r'^#define (GOSYNC_IOC_\w+)\s+_IO\(.*?\)(?:\s*/\* (.*?) \*/)?$',
            doc.after, re.M):
        short = name.replace('GOSYNC_IOC_', '')
        words = [name, short, short.split('_', 1)[-1]]
        if re.search(r'\b_?(%s)\b' % '|'.join(words), ' '.join(
                [doc.title, doc.body, doc.returns] + sum(doc.params, []))):
            found.append((name, where))
    return found


def constants_of(text):
    """Comments with the constants below them: [comment, [[name, meaning]]]"""
    found = []
    for comment, defines in re.findall(
            r'^/\* ?((?:(?!\*/).)*)\*/\n((?:#define GOSYNC_(?!IOC_)[^\n]*\n)+)',
            text, re.M | re.S):
        comment = ' '.join(re.sub(r'^ \*', '', comment, flags=re.M).split())
        names = re.findall(r'^#define (\w+).*?(?:/\* (.*?) \*/)?$', defines, re.M)
        if any(meaning for _, meaning in names) or len(names) > 1:
            found.append((comment, names))
    return found


def device():
    page = Page('gosync', '4', 'device for named synchronization objects',
                'Kernel Interfaces')
    page.pages = library.page_of
    page.put(
        '.SH SYNOPSIS', '.nf', '.B #include <fcntl.h>',
        '.B #include <sys/ioctl.h>', '.B #include <linux/gosync.h>', '.PP',
        r'.BI "int " device " = open(\(dq/dev/gosync\(dq, O_RDWR | O_CLOEXEC);"',
        r'.BI "int " object " = ioctl(" device ", GOSYNC_IOC_OPEN, "',
        r'.BI "                   struct gosync_open_args *" args );',
        r'.BI "int " result " = ioctl(" object ", GOSYNC_IOC_" ... ", " argument );',
        '.fi',
        '.SH DESCRIPTION',
        'The module', '.I gosync', 'makes this device.',
        'Most programs use it by the library: see',
        r'.BR gosync\-user (3).')
    text = read(UAPI)
    errors = None
    for part in re.split(r'^/\* --- (?=.*--- \*/$)', text, flags=re.M):
        title = re.match(r'(.*?) -+ \*/\n', part)
        if title:
            page.put('.SH %s' % title[1].upper())
            for constants in constants_of(part[:part.find('/**')]):
                put_constants(page, *constants)
        for doc in docs_of(part):
            if doc.name() == 'Errors':
                errors = doc
            else:
                put_block(page, doc)
    page.put('.SH ERRORS')
    page.paragraphs(errors.body)
    put_module_parameters(page)
    page.put('.SH FILES', '.TP', '.I /dev/gosync',
             'The device, with the mode and the group of the parameters.',
             '.TP', '.I /sys/module/gosync/parameters/',
             'The parameters of the module that is loaded.',
             '.TP', '.I /etc/modprobe.d/gosync.conf',
             'Where an administrator sets them, by a line such as',
             r'.BR "options gosync mode=0660" .')
    page.see_also(('gosync', '1'), ('gosync-user', '3'), ('modprobe', '8'))
    return page


def put_constants(page, comment, names):
    page.put('.PP', page.sentence(comment))
    for i, (name, meaning) in enumerate(names):
        page.put('.TP' if meaning or not i else '.TQ', r'\fB%s\fP' % name)
        page.put(*[page.markup(meaning)] if meaning else [])
        page.put(*['.PD 0'] if not i else [])
    page.put('.PD')


def put_block(page, doc):
    ioctls = [(name, where and ' (%s)' % where) for name, where in ioctls_of(doc)]
    if len(ioctls) == 1 and ioctls[0][0] in doc.title:
        page.put('.SS %s%s' % ioctls[0])
    else:
        page.put('.SS %s' % doc.name())
        for ioctl in ioctls:
            page.put(r'\fB%s\fP%s' % ioctl, '.br')
    if not doc.is_doc():
        if not re.fullmatch('argument of GOSYNC_IOC_[A-Z_]+', doc.what()):
            page.put('.PP', page.sentence(doc.what()))
        if doc.name().startswith('struct '):
            page.example(doc.declaration())
        page.parameters(doc)
    page.paragraphs(doc.body)
    if doc.returns:
        page.item(r'\fIReturn value\fP', page.sentence(doc.returns))
    for constants in constants_of(doc.after):
        put_constants(page, *constants)


def put_module_parameters(page):
    page.put('.SH MODULE PARAMETERS')
    for file in sorted(os.listdir(os.path.join(TOP, 'kmod'))):
        if not file.endswith('.c'):
            continue
        text = read(os.path.join('kmod', file))
        for name, kind, mode in re.findall(
                r'^module_param\((\w+), (\w+), (\d+)\);', text, re.M):
            what = re.search(r'^MODULE_PARM_DESC\(%s,\s+"(.*)"\);' % name, text,
                             re.M)[1]
            default = re.search(r'^static .*\b%s(?: = (.*))?;' % name, text,
                                re.M)[1] or '0'
            page.put('.TP', r'.BR %s " (%s, %s)"' % (name, kind, escape(default)),
                     page.sentence(what))
            if int(mode, 8) & 0o222:
                page.put('It can be changed while the module is loaded.')


# --- the run ---------------------------------------------------------------

library = Library()


def main():
    pages = list(library.make()) + [device()]
    texts = {'man%s/%s.%s' % (page.section, page.name, page.section): page.text()
             for page in pages}
    for name, page in library.links().items():
        texts['man3/%s.3' % name] = '.so man3/%s.3\n' % page
    if sys.argv[1:] == ['--list']:
        print('\n'.join(sorted(texts)))
        return
    for name, text in texts.items():
        path = os.path.join(sys.argv[1], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)


main()
