"""How the pages look."""

FONTS = ["system-ui", "Segoe UI", "Noto Sans", "Noto Sans Arabic", "sans-serif"]

CSS = """
#title h1 { font-size: 1.5rem; margin: 0.25rem 0; }
#transcript { min-height: 14rem; padding: 0.75rem; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); background: var(--background-fill-secondary); }
#transcript .turn { display: flex; flex-direction: column; align-items: flex-start; margin-bottom: 0.75rem; }
#transcript .turn.user { align-items: flex-end; }
#transcript .who { font-size: 0.75rem; opacity: 0.7; margin: 0 0.5rem 0.15rem; }
#transcript .bubble { max-width: 85%; padding: 0.5rem 0.8rem; border-radius: 1rem;
  background: var(--background-fill-primary); border: 1px solid var(--border-color-primary); }
#transcript .user .bubble { background: var(--primary-100, #e0e7ff); color: #111827; }
#transcript .empty { opacity: 0.6; text-align: center; padding: 5rem 1rem; unicode-bidi: plaintext; }
.bubble, .summary { white-space: pre-wrap; overflow-wrap: anywhere; text-align: start; unicode-bidi: plaintext;
  line-height: 1.55; }
[lang="ary-Arab"] { font-size: 1.12em; line-height: 1.8; }
#message textarea { unicode-bidi: plaintext; text-align: start; font-size: 1rem; }
#note:not(:has(.note)) { display: none; }
.note { font-size: 0.9rem; padding: 0.35rem 0.75rem; border-inline-start: 3px solid #d97706; }
#limits { font-size: 0.9rem; padding: 0.75rem 1rem; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); background: var(--background-fill-secondary); }
#limits h2 { font-size: 1rem; margin: 0 0 0.5rem; }
#limits ul { padding-inline-start: 1.1rem; list-style: disc; }
#limits li { margin-bottom: 0.4rem; }
#result .summary { padding: 0.75rem 1rem; border-radius: var(--radius-lg);
  background: var(--background-fill-secondary); }
#result .share { display: grid; grid-template-columns: minmax(6rem, 12rem) 1fr 4rem; gap: 0.75rem;
  align-items: center; margin: 0.35rem 0; }
#result .bar { background: var(--background-fill-secondary); border-radius: 0.5rem; overflow: hidden; }
#result .bar div { height: 0.9rem; background: var(--primary-500, #6366f1); }
#result .percent { text-align: end; font-variant-numeric: tabular-nums; }
"""
