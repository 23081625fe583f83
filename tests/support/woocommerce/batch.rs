//! Saving: single items, and batches, which answer 200 whatever became of their items.

use serde_json::{Map, Value, json};

use super::call::{Call, Error, Right};
use super::catalogue::{Catalogue, Item, Kind};
use super::fields::Fields;
use super::http::Response;
use super::settings::Settings;
use super::show::View;
use super::write::Changes;

/// What a route may write to, and which items it saved.
pub(super) struct Desk<'a> {
    pub(super) catalogue: &'a mut Catalogue,
    pub(super) settings: &'a Settings,
    /// The ids of the items that were saved, in their order.
    pub(super) saved: Vec<u64>,
}

impl Desk<'_> {
    /// `POST products/{id}`.
    pub(super) fn update_product(&mut self, call: &Call, id: u64) -> Result<Response, Error> {
        let body = call.body.clone().unwrap_or_else(|| json!({}));
        let changes = Changes::strict(&body, false, self.settings)?;
        call.may(Right::Edit)?;
        self.is_product(id)?;
        self.save(id, &changes)?;
        Ok(Response::json(200, &self.shown(id, Fields::of(&call.query).as_ref())))
    }

    /// `POST products/{parent}/variations/{id}`.
    pub(super) fn update_variation(
        &mut self,
        call: &Call,
        parent: u64,
        id: u64,
    ) -> Result<Response, Error> {
        let body = call.body.clone().unwrap_or_else(|| json!({}));
        let changes = Changes::strict(&body, true, self.settings)?;
        call.may(Right::Edit)?;
        self.adopt(id, parent)?;
        self.save(id, &changes)?;
        Ok(Response::json(200, &self.shown(id, Fields::of(&call.query).as_ref())))
    }

    /// `POST products/batch`: each item may name the fields that it is answered with.
    pub(super) fn products(&mut self, call: &Call) -> Result<Response, Error> {
        self.batch(call, |desk, item| {
            let id = id_of(&item["id"]);
            desk.is_product(id)?;
            desk.save(id, &Changes::cast(item, desk.settings))?;
            let fields = Fields::of_item(item).map(|fields| fields.and(&["brands", "_links"]));
            Ok(desk.shown(id, fields.as_ref()))
        })
    }

    /// `POST products/{parent}/variations/batch`: an item's own `product_id` goes before the
    /// parent of the address, and its `_fields` are ignored.
    pub(super) fn variations(&mut self, call: &Call, parent: u64) -> Result<Response, Error> {
        self.batch(call, |desk, item| {
            let heeded = item.get("product_id").filter(|_| !desk.settings.ignores_product_id);
            let (id, own) = (id_of(&item["id"]), heeded);
            desk.adopt(id, own.map_or(parent, id_of))?;
            desk.save(id, &Changes::cast(item, desk.settings))?;
            Ok(desk.shown(id, None))
        })
    }

    fn batch(
        &mut self,
        call: &Call,
        update: impl Fn(&mut Self, &Value) -> Result<Value, Error>,
    ) -> Result<Response, Error> {
        call.may(Right::Batch)?;
        let body = call.body.clone().unwrap_or_default();
        let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
        let count =
            ["create", "update", "delete"].map(|name| list(name).len()).iter().sum::<usize>();
        let limit = self.settings.batch_limit;
        if count > limit {
            let message = format!("Unable to accept more than {limit} items for this request.");
            return Err(Error::new(413, "woocommerce_rest_request_entity_too_large", &message));
        }
        let mut answer = Map::new();
        for (name, update) in [("create", None), ("update", Some(&update)), ("delete", None)] {
            let items = list(name);
            let answers: Vec<_> = items.iter().map(|item| self.answer(item, update)).collect();
            if !answers.is_empty() {
                answer.insert(name.to_owned(), answers.into());
            }
        }
        Ok(Response::json(200, &cut_list(answer, call)))
    }

    /// An item's answer. invsync neither creates nor deletes anything in a shop, so the fake
    /// refuses that.
    fn answer(
        &mut self,
        item: &Value,
        update: Option<&impl Fn(&mut Self, &Value) -> Result<Value, Error>>,
    ) -> Value {
        let answer = match update {
            Some(update) => update(self, item),
            None => Err(Error::new(501, "fake_only_updates", "The fake only updates items.")),
        };
        answer.unwrap_or_else(|error| json!({"id": item["id"], "error": error.json()}))
    }

    /// Variations have a route of their own.
    fn is_product(&self, id: u64) -> Result<(), Error> {
        match self.catalogue.find(id) {
            None => Err(Error::no_product(400)),
            Some(item) if item.kind == Kind::Variation => {
                let message = "To manipulate product variations you should use the \
                               /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.";
                Err(Error::new(404, "woocommerce_rest_invalid_product_id", message))
            }
            Some(_) => Ok(()),
        }
    }

    /// Before 9.5.2 a variation goes to whatever parent it is addressed under; later versions
    /// refuse another parent than its own.
    fn adopt(&mut self, id: u64, parent: u64) -> Result<(), Error> {
        let refuses = self.settings.since([9, 5, 2]);
        let is_variation = |item: &&mut Item| item.kind == Kind::Variation;
        let missing = Error::no_variation(if refuses { 404 } else { 400 });
        let Some(item) = self.catalogue.find_mut(id).filter(is_variation) else {
            return Err(missing);
        };
        if refuses && item.parent != parent {
            return Err(missing);
        }
        item.parent = parent;
        Ok(())
    }

    fn save(&mut self, id: u64, changes: &Changes) -> Result<(), Error> {
        changes.save(self.catalogue, self.settings, id)?;
        self.saved.push(id);
        Ok(())
    }

    fn shown(&self, id: u64, fields: Option<&Fields>) -> Value {
        View::new(self.catalogue, self.settings).row(self.catalogue.get(id), fields)
    }
}

/// An id, also one that is sent as a text; 0 where there is none.
fn id_of(value: &Value) -> u64 {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(text).unwrap_or(0)
}

/// `_fields` of the query reach for the names of the lists: nothing is left of their items. An
/// answer without any list is an empty one, for PHP has no empty objects.
fn cut_list(mut answer: Map<String, Value>, call: &Call) -> Value {
    if Fields::of(&call.query).is_some() {
        answer.values_mut().for_each(|items| *items = json!([]));
    }
    if answer.is_empty() { json!([]) } else { Value::Object(answer) }
}
