"""Names that somebody gave a model, a chat, a file or a class: every place that shows them must survive them."""

HOSTILE_NAMES: dict[str, str] = {
    "quotes": "\"double\" 'single' `back` «guillemets» “curly” \\\" \\'",
    "colons": "name: value: {key: 1}: # no comment",
    "newlines": "first\r\nsecond\nlicense: mit\n---\n# Heading\n- item\n1. item",
    "html": "<script>alert(1)</script><!-- results:end --><iframe src=//127.0.0.1></iframe>",
    "html attribute": '"><img src=x onerror="alert(1)"> &lt;b&gt; &#60;i&#62;',
    "markdown": "# head\n> quote\n[click](javascript:alert(1)) ![](http://127.0.0.1/x.png) **b** ~~s~~ $x$ \\* <http://a.b>",
    "pipes": "a | b | c\n| --- | --- |\n| d | e | f |",
    "backticks": "```\n<b>out of the fence</b>\n``` `` ` ~~~",
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;http://127.0.0.1\x07link\x1b]8;;\x07 \x9b2J \x1b[2J\x1bc",
    "marks of direction": "\u202egnihtyna\u202c \u2066isolated\u2069 \u200fmark\u200e \ufeff \u061c \U000e0041",
    "jinja braces": "{{ 7 * 7 }} {% raw %} {# comment #} {% include '/etc/passwd' %} ${8 * 8}",
    "yaml": "name: [unclosed, \"quote': !!python/object/apply:os.system ['id'] &anchor *alias % @ ` - ? |",
    "yaml words": "null",
    "bibtex braces": "},\n  url = {http://127.0.0.1}\\input{/etc/passwd}, @misc{x, title = {",
    "nul": "before\x00after \x07bell \x08back \x7f \x85 \x0b \x0c",
    "surrogate": "alone \ud800 and \udfff, \u2028 line \u2029 paragraph",
    "very long": "kbir bzaf " * 2_000,
    "emoji": "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇲🇦 می\u200cخواهم e\u0301",
    "path": "../../../etc/passwd; rm -rf ~ && $(id) %s %n {0} C:\\con",
}
