"""Shop: products by category, a cart, delivery options, orders."""

from __future__ import annotations

from functools import partial
from typing import Any

from simonides.envs.android.simulated.app import SEND, VIEW, Activity, App, Filter, Intent
from simonides.envs.android.simulated.apps.calendar import day_of
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.views import (
    View,
    avatar,
    button,
    column,
    heading,
    icon,
    item,
    listing,
    page,
    radio,
    row,
    scrolling,
    tab,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, colour_of

PACKAGE = "org.simonides.shop"
PRODUCTS = {
    "Kitchen": ("Kettle", "Toaster", "Tea pot", "Frying pan", "Bread knife", "Blender"),
    "Home": ("Desk lamp", "Wool blanket", "Wall clock", "Door mat", "Curtain rod", "Candle set"),
    "Sport": ("Yoga mat", "Football", "Bike pump", "Skipping rope", "Tennis balls", "Water bottle"),
    "Books": ("Atlas", "Cookbook", "Bird guide", "Chess primer", "Poems", "City walks"),
}
DELIVERIES = (("Home delivery", 490), ("Parcel locker", 190), ("Pickup point", 0), ("Express courier", 990))


def money(cents: int) -> str:
    """Return a price."""
    return f"${cents // 100}.{cents % 100:02d}"


class Catalogue(Activity):
    """Products of a category, or those that a search finds."""

    def build(self) -> View:
        """Return categories and products."""
        categories = [one["category"] for one in self.rows("SELECT DISTINCT category FROM products ORDER BY category")]
        chosen = self.state.get("category", "")
        tabs = row(
            *(tab(name, name == chosen, self.set(category="" if name == chosen else name)) for name in categories)
        )
        rows = self.rows(
            "SELECT * FROM products WHERE name LIKE ? AND (category = ? OR ? = '') ORDER BY name",
            f"%{self.typed('search')}%",
            chosen,
            chosen,
        )
        products = [product(one, partial(self.go, ".ProductActivity", product=one["id"])) for one in rows]
        empty = [] if products else [text("No results", "empty", 16, "faint", centred=True, pad=(0, 40))]
        count = self.rows("SELECT COALESCE(SUM(quantity), 0) AS n FROM cart")[0]["n"]
        orders = icon("file", "Your orders", partial(self.go, ".OrdersActivity"), "orders")
        cart = icon("cart", f"Cart, {count} items", partial(self.go, ".CartActivity"), "cart")
        search = self.field("search", "Search products", pad=(16, 10))
        return page(
            title_bar("Shop", orders, cart),
            search,
            *([tabs] if categories else []),
            listing("products", *products, *empty),
        )


def product(one: Any, on_tap: Any, **fields: object) -> View:
    """Return a product's row."""
    lead = avatar(one["name"], colour_of(one["category"]), 44)
    stars = f"{one['rating'] / 10:.1f} stars"
    return item(
        one["name"],
        stars,
        on_tap,
        id="product",
        lead=lead,
        aside=money(one["price"]),
        ids=("product_name", "rating", "price"),
    )


class Product(Activity):
    """One product."""

    name = ".ProductActivity"
    filters = (Filter(VIEW, "shop"),)

    def build(self) -> View:
        """Return the product's page."""
        number = self.intent.extras.get("product") or self.intent.rest
        one = self.row("SELECT * FROM products WHERE id = ?", number)
        if one is None:
            return page(title_bar("Product", up=self.finish), text("This product is gone.", "empty", pad=(16, 16)))
        stock = f"{one['stock']} in stock" if one["stock"] else "Sold out"
        share = icon("share", "Share", partial(self._share, one), "share")
        cart = icon("cart", "Cart", partial(self.go, ".CartActivity"), "cart")
        return page(
            title_bar(one["name"], share, cart, up=self.finish),
            scrolling(
                "product_page",
                avatar(one["name"], colour_of(one["category"]), 140).but(hug="centre"),
                text(one["name"], "product_name", 22),
                text(money(one["price"]), "price", 20, "accent"),
                text(f"{one['category']} · {one['rating'] / 10:.1f} stars", "rating", colour="faint"),
                text(stock, "stock", colour="faint"),
                button("Add to cart", partial(self._add, one["id"]), "add_to_cart", one["stock"] > 0),
            ),
        )

    def _share(self, one: Any) -> None:
        words = f"{one['name']}, {money(one['price'])}, shop:{one['id']}"
        self.open(Intent(SEND, type="text/plain", extras={"android.intent.extra.TEXT": words}))

    def _add(self, number: int) -> None:
        sql = "INSERT INTO cart VALUES (?, 1) ON CONFLICT (product) DO UPDATE SET quantity = quantity + 1"
        self.do(sql, number)
        self.go(".CartActivity")


class Cart(Activity):
    """What is about to be bought."""

    name = ".CartActivity"

    def build(self) -> View:
        """Return the cart's lines and the way to the checkout."""
        rows = self.rows("SELECT * FROM cart JOIN products ON id = product ORDER BY name")
        lines = [self._line(one) for one in rows]
        total = sum(one["price"] * one["quantity"] for one in rows)
        empty = [] if lines else [text("Your cart is empty", "empty", 16, "faint", centred=True, pad=(0, 40))]
        below = row(
            text(f"Total {money(total)}", "total", 18, weight=1),
            button("Checkout", partial(self.go, ".CheckoutActivity"), "checkout", bool(lines)),
            pad=(16, 10),
        )
        return page(title_bar("Cart", up=self.finish), listing("cart_lines", *lines, *empty), below)

    def _line(self, one: Any) -> View:
        number, count = one["product"], one["quantity"]
        return row(
            column(text(one["name"], "product_name", 16), text(money(one["price"]), "price", 13, "faint"), weight=1),
            icon("minus", f"One {one['name']} less", partial(self._set, number, count - 1), "less"),
            text(str(count), "quantity", 16),
            icon("plus", f"One {one['name']} more", partial(self._set, number, count + 1), "more"),
            id="cart_line",
            pad=(16, 8),
            gap=6,
        )

    def _set(self, number: int, count: int) -> None:
        if count:
            self.do("UPDATE cart SET quantity = ? WHERE product = ?", count, number)
        else:
            self.do("DELETE FROM cart WHERE product = ?", number)


class Checkout(Activity):
    """How the cart is to be delivered."""

    name = ".CheckoutActivity"

    def build(self) -> View:
        """Return the choice of a delivery and the button that orders."""
        chosen = self.state.get("delivery", "")
        ways = self.rows("SELECT * FROM deliveries ORDER BY id")
        options = [
            radio(f"{one['name']}", one["name"] == chosen, self.set(delivery=one["name"]), "delivery") for one in ways
        ]
        total = self.rows("SELECT COALESCE(SUM(price * quantity), 0) AS n FROM cart JOIN products ON id = product")[0][
            "n"
        ]
        fee = next((one["fee"] for one in ways if one["name"] == chosen), 0)
        return page(
            title_bar("Checkout", up=self.finish),
            scrolling(
                "checkout",
                heading("Delivery option"),
                *options,
                text(f"Total {money(total + fee)}", "total", 18, pad=(0, 10)),
            ),
            row(
                button(
                    "Place order", partial(self._order, total + fee), "place_order", bool(chosen and total), weight=1
                ),
                pad=(16, 10),
            ),
        )

    def _order(self, total: int) -> None:
        lines = self.rows("SELECT name, quantity FROM cart JOIN products ON id = product ORDER BY name")
        sql = "INSERT INTO orders (time, delivery, total, status) VALUES (?, ?, ?, 'Ordered')"
        order = self.do(sql, self.phone.time, self.state["delivery"], total)
        for line in lines:
            self.do("INSERT INTO order_lines VALUES (?, ?, ?)", order, line["name"], line["quantity"])
        self.do("DELETE FROM cart")
        self.finish()
        self.open(Intent(extras={"order": order}, component=f"{PACKAGE}/.OrderActivity"))


class Orders(Activity):
    """The orders so far."""

    name = ".OrdersActivity"

    def build(self) -> View:
        """Return the list, the newest first."""
        rows = self.rows("SELECT * FROM orders ORDER BY time DESC, id DESC LIMIT 50")
        orders = [
            item(
                f"Order {one['id']}",
                f"{day_of(one['time'])} · {one['status']}",
                partial(self.go, ".OrderActivity", order=one["id"]),
                id="order",
                aside=money(one["total"]),
            )
            for one in rows
        ]
        empty = [] if orders else [text("No orders yet", "empty", 16, "faint", centred=True, pad=(0, 40))]
        return page(title_bar("Your orders", up=self.finish), listing("orders", *orders, *empty))


class Order(Activity):
    """One order."""

    name = ".OrderActivity"

    def build(self) -> View:
        """Return what was ordered, and how it comes."""
        number = self.intent.extras["order"]
        one = self.row("SELECT * FROM orders WHERE id = ?", number)
        if one is None:
            return page(title_bar("Order", up=self.finish), text("This order is gone.", "empty", pad=(16, 16)))
        lines = self.rows("SELECT * FROM order_lines WHERE order_id = ? ORDER BY name", number)
        parts = [text(f"{line['quantity']} x {line['name']}", "order_line") for line in lines]
        return page(
            title_bar(f"Order {number}", up=self.finish),
            scrolling(
                "order_page",
                text(one["status"], "status", 20, "accent"),
                text(day_of(one["time"]), "order_date", colour="faint"),
                *parts,
                text(one["delivery"], "delivery"),
                text(f"Total {money(one['total'])}", "total", 18),
                *([text(one["note"], "order_note", 16, pad=(0, 10))] if one["note"] else []),
            ),
        )


class Shop(App):
    """The shopping app."""

    package, label, colour, accent = PACKAGE, "Shop", "#c62828", "#ad1457"
    schema = """
        CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL,
            price INTEGER NOT NULL, rating INTEGER NOT NULL, stock INTEGER NOT NULL);
        CREATE TABLE cart (product INTEGER PRIMARY KEY, quantity INTEGER NOT NULL);
        CREATE TABLE deliveries (id INTEGER PRIMARY KEY, name TEXT NOT NULL, fee INTEGER NOT NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, time REAL NOT NULL, delivery TEXT NOT NULL,
            total INTEGER NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL DEFAULT '');
        CREATE TABLE order_lines (order_id INTEGER NOT NULL, name TEXT NOT NULL, quantity INTEGER NOT NULL);
    """
    activities = (Catalogue, Product, Cart, Checkout, Orders, Order)

    def installed(self, phone: Phone) -> None:
        """Know the ways of delivery."""
        phone.database(PACKAGE).executemany("INSERT INTO deliveries (name, fee) VALUES (?, ?)", DELIVERIES)

    def populate(self, phone: Phone, world: World) -> None:
        """Price the products, and remember two orders."""
        rng, db = world.draws("shop"), phone.database(PACKAGE)
        for category, names in PRODUCTS.items():
            for name in names:
                values = (
                    name,
                    category,
                    int(rng.integers(300, 9000)),
                    int(rng.integers(28, 50)),
                    int(rng.integers(1, 30)),
                )
                db.execute("INSERT INTO products (name, category, price, rating, stock) VALUES (?, ?, ?, ?, ?)", values)
        for number in (1041, 1042):
            time, way = phone.time - float(rng.integers(10, 40)) * 86_400, DELIVERIES[int(rng.integers(4))][0]
            total, name = int(rng.integers(900, 9000)), PRODUCTS["Books"][int(rng.integers(6))]
            sql = "INSERT INTO orders (id, time, delivery, total, status) VALUES (?, ?, ?, ?, 'Delivered')"
            db.execute(sql, (number, time, way, total))
            db.execute("INSERT INTO order_lines VALUES (?, ?, 1)", (number, name))
