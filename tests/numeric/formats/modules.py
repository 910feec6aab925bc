"""PyTorch modules with the state dicts of published models, each written from the published description of its forward pass, in float64."""

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra torch)")
nn, Tensor = torch.nn, torch.Tensor

ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {
    None: lambda x: x,
    "identity": lambda x: x,
    "silu": nn.functional.silu,
    "relu": nn.functional.relu,
    "gelu": nn.functional.gelu,
    "gelu_new": lambda x: nn.functional.gelu(x, approximate="tanh"),
}


def random(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in float64 with random parameters of about unit gain, biases included."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            size = parameter.shape[-1] if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / size**0.5)
    return module.eval()


def rotate(x: Tensor, frequencies: Tensor, *, adjacent: bool = False) -> Tensor:
    """Rotary positions on the last axis of (..., n, e): the first 2 len(frequencies) coordinates turn, in halves or as neighbours."""
    r = 2 * len(frequencies)
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * frequencies
    turning, rest = x[..., :r], x[..., r:]
    if adjacent:
        even, odd = turning[..., 0::2], turning[..., 1::2]
        pair = (even * angles.cos() - odd * angles.sin(), odd * angles.cos() + even * angles.sin())
        turned = torch.stack(pair, -1).flatten(-2)
    else:
        angles = torch.cat([angles, angles], -1)
        first, second = turning.chunk(2, -1)
        turned = turning * angles.cos() + torch.cat([-second, first], -1) * angles.sin()
    return torch.cat([turned, rest], -1)


def masked(scores: Tensor, value: float) -> Tensor:
    """Scores with those of later positions replaced."""
    return scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), value)


# ---------------------------------------------------------------- Pearce, Dooms et al.


class Rotary(nn.Module):
    def __init__(self, e: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, e, 2).float() / e)))


class DecomposedAttention(nn.Module):
    def __init__(self, d: int, heads: int, *, softmax: bool, bias: bool) -> None:
        super().__init__()
        self.heads, self.softmax = heads, softmax
        self.rotary = Rotary(d // heads)
        self.qkv = nn.Linear(d, (3 if softmax else 5) * d, bias=bias)
        self.o = nn.Linear(d, d, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        n, d = x.shape
        e = d // self.heads
        parts = self.qkv(x).view(n, -1, self.heads, e).permute(1, 2, 0, 3)  # (part, head, n, e)
        turned = [rotate(part, self.rotary.inv_freq) for part in parts[:-1]]
        scores = [q @ k.mT / e**0.5 for q, k in zip(turned[0::2], turned[1::2], strict=True)]
        pattern = masked(scores[0], -torch.inf).softmax(-1) if self.softmax else masked(scores[0] * scores[1], 0)
        return self.o((pattern @ parts[-1]).permute(1, 0, 2).reshape(n, d))


class DecomposedMLP(nn.Module):
    def __init__(self, d: int, m: int, *, gate: str | None, bias: bool, older: bool) -> None:
        super().__init__()
        self.gate, self.older = ACTIVATIONS[gate], older
        self.w = nn.Linear(d, 2 * m, bias=bias)
        setattr(self, "o" if older else "p", nn.Linear(m, d, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.w(x).chunk(2, -1)
        return (self.o if self.older else self.p)(self.gate(left) * right)


class DecomposedLayer(nn.Module):
    def __init__(self, attn: nn.Module, mlp: nn.Module, norm: Callable, scale: float) -> None:
        super().__init__()
        self.attn, self.mlp, self.norm, self.scale = attn, mlp, norm, scale

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale * self.attn(self.norm(x))
        return x + self.mlp(self.norm(x))


def rms(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-8)


class Decomposed(nn.Module):
    """A bilinear transformer, (n,) tokens -> (n, V) logits."""

    def __init__(
        self,
        *,
        d: int = 8,
        m: int = 12,
        V: int = 13,
        heads: int = 2,
        layers: int = 2,
        norm: bool = True,
        scale_attn: bool = True,
        softmax: bool = True,
        qkv_bias: bool = False,
        bias: bool = False,
        gate: str | None = None,
        older: bool = False,
    ) -> None:
        super().__init__()
        self.norm = rms if norm else ACTIVATIONS[None]
        self.scale = (2 * layers) ** -0.5 if scale_attn else 1.0
        blocks = [
            DecomposedLayer(
                DecomposedAttention(d, heads, softmax=softmax, bias=qkv_bias),
                DecomposedMLP(d, m, gate=gate, bias=bias, older=older),
                self.norm,
                self.scale,
            )
            for _ in range(layers)
        ]
        self.transformer = nn.ModuleDict({"wte": nn.Embedding(V, d), "h": nn.ModuleList(blocks)})
        self.lm_head = nn.Linear(d, V, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.transformer["wte"](tokens)
        for layer in self.transformer["h"]:
            x = layer(x)
        return self.lm_head(self.norm(x))


class Image(nn.Module):
    """A bilinear image model, (n, d_in) -> (n, d_out)."""

    def __init__(
        self, *, d_in: int = 7, d: int = 5, d_out: int = 3, layers: int = 2, bias: bool = False, residual: bool = False
    ) -> None:
        super().__init__()
        self.residual = residual
        self.embed = nn.Linear(d_in, d, bias=False)
        self.blocks = nn.ModuleList([nn.Linear(d, 2 * d, bias=bias) for _ in range(layers)])
        self.head = nn.Linear(d, d_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        for block in self.blocks:
            left, right = block(x).chunk(2, -1)
            x = x + left * right if self.residual else left * right
        return self.head(x)


class Toy(nn.Module):
    """One bilinear layer, (n, d_in) -> (n, d_out)."""

    def __init__(self, *, d_in: int = 4, m: int = 5, d_out: int = 6, bias: bool = False) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(d_in, m, bias=bias), nn.Linear(d_in, m, bias=bias)
        self.head = nn.Linear(m, d_out, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.left(x) * self.right(x))


# ---------------------------------------------------------------- TransformerLens


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


class LensNorm(nn.Module):
    """LN, LNPre, RMS, RMSPre or none."""

    def __init__(self, kind: str | None, d: int, eps: float) -> None:
        super().__init__()
        self.kind, self.eps = kind, eps
        if kind in ("LN", "RMS"):
            self.w = parameter(d)
        if kind == "LN":
            self.b = parameter(d)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind is None:
            return x
        x = x - x.mean(-1, keepdim=True) if self.kind.startswith("LN") else x
        x = x / (x.pow(2).mean(-1, keepdim=True) + self.eps).sqrt()
        x = x * self.w if self.kind in ("LN", "RMS") else x
        return x + self.b if self.kind == "LN" else x


class LensAttention(nn.Module):
    def __init__(self, cfg: dict) -> None:
        super().__init__()
        d, e, heads, shared = (cfg[key] for key in ("d_model", "d_head", "n_heads", "n_key_value_heads"))
        self.cfg, self.under, self.repeats = cfg, "_" if shared < heads else "", heads // shared
        self.W_Q, self.b_Q = parameter(heads, d, e), parameter(heads, e)
        for letter in "KV":
            setattr(self, f"{self.under}W_{letter}", parameter(shared, d, e))
            setattr(self, f"{self.under}b_{letter}", parameter(shared, e))
        self.W_O, self.b_O = parameter(heads, e, d), parameter(d)
        self.register_buffer("mask", torch.ones(cfg["n_ctx"], cfg["n_ctx"]).tril().bool())
        self.register_buffer("IGNORE", torch.tensor(-torch.inf))
        if cfg["positional_embedding_type"] == "rotary":
            sines = self.frequencies()[None] * torch.arange(cfg["n_ctx"])[:, None]
            sines = sines.repeat_interleave(2, -1) if cfg["rotary_adjacent_pairs"] else torch.cat([sines, sines], -1)
            self.register_buffer("rotary_sin", sines.sin().float())
            self.register_buffer("rotary_cos", sines.cos().float())

    def frequencies(self) -> Tensor:
        r = self.cfg["rotary_dim"]
        return 1 / self.cfg["rotary_base"] ** (torch.arange(r // 2, dtype=torch.float64) / (r / 2))

    def part(self, letter: str, x: Tensor) -> Tensor:
        """Queries, keys or values (heads, n, e)."""
        under = "" if letter == "Q" else self.under
        out = torch.einsum("nd,hde->hne", x, getattr(self, f"{under}W_{letter}")) + getattr(self, f"{under}b_{letter}")[:, None]
        return out.repeat_interleave(self.repeats, 0) if under else out

    def forward(self, aware: Tensor, x: Tensor) -> Tensor:
        query, key, value = self.part("Q", aware), self.part("K", aware), self.part("V", x)
        if self.cfg["positional_embedding_type"] == "rotary":
            turn = {"frequencies": self.frequencies(), "adjacent": self.cfg["rotary_adjacent_pairs"]}
            query, key = rotate(query, **turn), rotate(key, **turn)
        scores = query @ key.mT / (self.cfg["d_head"] ** 0.5 if self.cfg["use_attn_scale"] else 1)
        return torch.einsum("hne,hed->nd", masked(scores, -torch.inf).softmax(-1) @ value, self.W_O) + self.b_O


class LensMLP(nn.Module):
    """A gated MLP; or, without gate, an ordinary one."""

    def __init__(self, cfg: dict) -> None:
        super().__init__()
        d, m = cfg["d_model"], cfg["d_mlp"]
        self.act = ACTIVATIONS[cfg["act_fn"]]
        self.W_in, self.b_in, self.W_out, self.b_out = parameter(d, m), parameter(m), parameter(m, d), parameter(d)
        if cfg["gated_mlp"]:
            self.W_gate = parameter(d, m)

    def forward(self, x: Tensor) -> Tensor:
        return (self.act(x @ self.W_gate) * (x @ self.W_in) + self.b_in) @ self.W_out + self.b_out


class LensBlock(nn.Module):
    def __init__(self, cfg: dict) -> None:
        super().__init__()
        self.parallel = cfg["parallel_attn_mlp"]
        self.ln1 = LensNorm(cfg["normalization_type"], cfg["d_model"], cfg["eps"])
        self.attn = LensAttention(cfg)
        if not cfg["attn_only"]:
            self.ln2 = LensNorm(cfg["normalization_type"], cfg["d_model"], cfg["eps"])
            self.mlp = LensMLP(cfg)

    def forward(self, x: Tensor, shortformer: Tensor | float) -> Tensor:
        after = x + self.attn(self.ln1(x) + shortformer, self.ln1(x))
        return after + self.mlp(self.ln2(x if self.parallel else after)) if hasattr(self, "mlp") else after


class LensLeaf(nn.Module):
    """Named parameters alone, as Embed, PosEmbed and Unembed are."""

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        super().__init__()
        for name, shape in shapes.items():
            setattr(self, name, parameter(*shape))


LENS = {
    "d_model": 8,
    "d_head": 6,
    "n_heads": 4,
    "n_key_value_heads": 4,
    "n_layers": 2,
    "n_ctx": 9,
    "d_vocab": 13,
    "d_mlp": 10,
    "act_fn": "silu",
    "gated_mlp": True,
    "attn_only": False,
    "normalization_type": "LN",
    "eps": 1e-5,
    "use_attn_scale": True,
    "positional_embedding_type": "standard",
    "rotary_dim": 6,
    "rotary_base": 10000,
    "rotary_adjacent_pairs": False,
    "parallel_attn_mlp": False,
}


class Lens(nn.Module):
    """A HookedTransformer, (n,) tokens -> (n, V) logits; ``cfg`` has what differs from LENS."""

    def __init__(self, **cfg: object) -> None:
        super().__init__()
        self.cfg = cfg = LENS | cfg
        d, V = cfg["d_model"], cfg["d_vocab"]
        self.embed = LensLeaf(W_E=(V, d))
        if cfg["positional_embedding_type"] in ("standard", "shortformer"):
            self.pos_embed = LensLeaf(W_pos=(cfg["n_ctx"], d))
        self.blocks = nn.ModuleList([LensBlock(cfg) for _ in range(cfg["n_layers"])])
        self.ln_final = LensNorm(cfg["normalization_type"], d, cfg["eps"])
        self.unembed = LensLeaf(W_U=(d, V), b_U=(V,))

    def forward(self, tokens: Tensor) -> Tensor:
        x, shortformer = self.embed.W_E[tokens], 0.0
        if self.cfg["positional_embedding_type"] == "standard":
            x = x + self.pos_embed.W_pos[: len(tokens)]
        if self.cfg["positional_embedding_type"] == "shortformer":
            shortformer = self.pos_embed.W_pos[: len(tokens)]
        for block in self.blocks:
            x = block(x, shortformer)
        return self.ln_final(x) @ self.unembed.W_U + self.unembed.b_U


# ---------------------------------------------------------------- a format that the package does not have: Llama as Hugging Face stores it


class LlamaNorm(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.weight = parameter(d)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


class LlamaLayer(nn.Module):
    def __init__(self, d: int, e: int, heads: int, shared: int, m: int) -> None:
        super().__init__()
        self.e = e
        self.self_attn, self.mlp = nn.Module(), nn.Module()
        for name, size in (("q_proj", heads), ("k_proj", shared), ("v_proj", shared)):
            setattr(self.self_attn, name, nn.Linear(d, size * e, bias=False))
        self.self_attn.o_proj = nn.Linear(heads * e, d, bias=False)
        self.mlp.gate_proj, self.mlp.up_proj = nn.Linear(d, m, bias=False), nn.Linear(d, m, bias=False)
        self.mlp.down_proj = nn.Linear(m, d, bias=False)
        self.input_layernorm, self.post_attention_layernorm = LlamaNorm(d), LlamaNorm(d)

    def forward(self, x: Tensor) -> Tensor:
        read = self.input_layernorm(x)
        names = ("q_proj", "k_proj", "v_proj")
        query, key, value = (getattr(self.self_attn, name)(read).view(len(x), -1, self.e).transpose(0, 1) for name in names)
        frequencies = 10000 ** (-torch.arange(0, self.e, 2, dtype=torch.float64) / self.e)
        query, key = rotate(query, frequencies), rotate(key, frequencies)
        key, value = (part.repeat_interleave(len(query) // len(part), 0) for part in (key, value))
        pattern = masked(query @ key.mT / self.e**0.5, -torch.inf).softmax(-1)
        x = x + self.self_attn.o_proj((pattern @ value).transpose(0, 1).flatten(1))
        read = self.post_attention_layernorm(x)
        return x + self.mlp.down_proj(nn.functional.silu(self.mlp.gate_proj(read)) * self.mlp.up_proj(read))


class Llama(nn.Module):
    """(n,) tokens -> (n, V) logits, embeddings tied."""

    def __init__(
        self, *, d: int = 8, e: int = 4, heads: int = 4, shared: int = 2, m: int = 10, V: int = 13, layers: int = 2
    ) -> None:
        super().__init__()
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(V, d)
        self.model.layers = nn.ModuleList([LlamaLayer(d, e, heads, shared, m) for _ in range(layers)])
        self.model.norm = LlamaNorm(d)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x)
        return self.model.norm(x) @ self.model.embed_tokens.weight.T
